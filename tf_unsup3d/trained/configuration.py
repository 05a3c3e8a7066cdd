"""The configuration of a run as a plain value: all that training and rendering need."""

import dataclasses
import inspect
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tf_unsup3d.errors import UserError
from tf_unsup3d.geometry.portrait_viewpoints import PortraitViewpoints
from tf_unsup3d.geometry.viewpoints import (
    GaussianViewpoints,
    UniformViewpoints,
    Viewpoints,
)
from tf_unsup3d.models.augmentation import DifferentiableAugmentation
from tf_unsup3d.models.discriminator import Discriminator
from tf_unsup3d.models.generator import Generator
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.rendering.lighting import RandomLamps
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.trained import gin_files
from tf_unsup3d.trained.gin_files import Bindings, Reference, Value
from tf_unsup3d.trained.rate_decay import CosineDecay, LinearDecay
from tf_unsup3d.trained.training_settings import TrainingSettings

# The classes that gin files may name.
_CLASSES: dict[str, type] = {
    "Trainer": TrainingSettings,
    "Generator": Generator,
    "Discriminator": Discriminator,
    "Renderer": Renderer,
    "UniformViewpoints": UniformViewpoints,
    "GaussianViewpoints": GaussianViewpoints,
    "PortraitViewpoints": PortraitViewpoints,
    "RandomLamps": RandomLamps,
    "PinholeCamera": PinholeCamera,
    "DifferentiableAugmentation": DifferentiableAugmentation,
    "LinearDecay": LinearDecay,
    "CosineDecay": CosineDecay,
}
# Parameters whose value is an object, and its possible classes.
_OBJECTS: dict[tuple[str, str], tuple[str, ...]] = {
    ("Trainer", "viewpoints"): (
        "UniformViewpoints",
        "GaussianViewpoints",
        "PortraitViewpoints",
    ),
    ("Trainer", "augmentation"): ("DifferentiableAugmentation",),
    ("Trainer", "rate_decay"): ("LinearDecay", "CosineDecay"),
    ("Renderer", "lamps"): ("RandomLamps",),
    ("Renderer", "camera"): ("PinholeCamera",),
}
# Names that parameters had in older files, which often bind the old and the new name.
_FORMER_NAMES = {
    ("Trainer", "resolution"): ("Renderer", "resolution"),
    ("Renderer", "subdivisions"): ("Generator", "subdivisions"),
    ("Renderer", "background_extent"): ("Renderer", "background_range"),
}
# Parameters of older files that no longer exist.
_FORMER = {("Trainer", "strategy")}
# Parameters that follow from others and cannot be bound, lest they disagree.
_DERIVED = {
    ("Discriminator", "resolution"),
    ("Discriminator", "start_resolution"),
    ("Renderer", "front_magnification"),
}


@dataclasses.dataclass(frozen=True)
class Configuration:
    """All parameters of a run.

    Defaults are included, so that a change of defaults does not change a finished run.

    Attributes:
      generator: Constructor arguments of `Generator`, by name.
      discriminator: Constructor arguments of `Discriminator`, by name, without those
        that follow from other parameters.
      renderer: Constructor arguments of `Renderer`, by name.
      viewpoints: The distribution p_v of the viewpoints.
      training: The settings of training.
    """

    generator: Mapping[str, Any]
    discriminator: Mapping[str, Any]
    renderer: Mapping[str, Any]
    viewpoints: Viewpoints
    training: TrainingSettings

    @classmethod
    def from_files(
        cls, files: Sequence[str], bindings: Sequence[str] = ()
    ) -> "Configuration":
        """Reads the gin files of an experiment; see `gin_files.read_bindings`.

        Args:
          files: Names of gin files; a later file overrides an earlier one.
          bindings: Lines such as `"Trainer.batch_size = 16"`, which override the files.

        Returns:
          The configuration. Parameters that are not bound have their defaults.

        Raises:
          UserError: A file or binding cannot be used, or a binding has no effect.
        """
        configuration = _from_bindings(gin_files.read_bindings(files, bindings), "")
        # Files may bind what a later one replaces.
        _check_effect(gin_files.bound_names(bindings), configuration)
        return configuration

    @classmethod
    def from_run_file(cls, path: pathlib.Path) -> "Configuration":
        """Reads the `config.gin` of a run or of a published generator.

        Args:
          path: The file.

        Returns:
          The configuration.

        Raises:
          UserError: The file cannot be read, or does not hold a configuration.
        """
        return _from_bindings(gin_files.read_complete_file(path), f"{path}: ")

    def to_gin(self) -> str:
        """Returns the text of a gin file that binds every parameter."""
        return gin_files.format_bindings(self.bindings())

    def bindings(self) -> Bindings:
        """Returns the values of all parameters, as a gin file binds them."""
        arguments = {
            "Trainer": {"viewpoints": self.viewpoints, **_fields(self.training)},
            "Generator": self.generator,
            "Discriminator": self.discriminator,
            "Renderer": self.renderer,
        }
        bindings: Bindings = {name: {} for name in arguments}
        for name, values in arguments.items():
            for parameter, value in values.items():
                if dataclasses.is_dataclass(value):
                    bindings[type(value).__name__] = _fields(value)
                    value = Reference(type(value).__name__)
                bindings[name][parameter] = value
        return bindings

    def parameters(self) -> dict[str, Value]:
        """Returns the values of all parameters by names such as "Trainer.steps"."""
        return {
            f"{name}.{parameter}": value
            for name, values in self.bindings().items()
            for parameter, value in values.items()
        }

    @property
    def resolution(self) -> int:
        """Height and width of the pictures."""
        return self.renderer["resolution"]

    def make_generator(self, name: str = "generator") -> Generator:
        """Builds a generator with random weights.

        Args:
          name: Name of the Keras model.

        Returns:
          The generator.

        Raises:
          UserError: Its parameters do not fit together.
        """
        generator = _make(Generator, "", {**self.generator, "name": name})
        generator.build([None, generator.latent_size])
        return generator

    def make_discriminator(self) -> Discriminator:
        """Builds a discriminator with random weights.

        Returns:
          The discriminator.

        Raises:
          UserError: Its parameters do not fit together.
        """
        size = self.resolution
        arguments = {
            **self.discriminator,
            "resolution": size,
            "start_resolution": self.training.start_resolution,
            "name": "discriminator",
        }
        discriminator = _make(Discriminator, "", arguments)
        discriminator.build([None, size, size, 3])
        return discriminator

    def make_renderer(self, **changes: Any) -> Renderer:
        """Makes the renderer of the run.

        Args:
          **changes: Constructor arguments of `Renderer` that differ from the
            configuration.

        Returns:
          The renderer.

        Raises:
          UserError: Its parameters do not fit together.
        """
        shared = {"front_magnification": self.generator["front_magnification"]}
        return _make(Renderer, "", {**self.renderer, **shared, **changes})


def _parameters(name: str) -> dict[str, Value]:
    """Returns the parameters of a class that files may bind, with their defaults."""
    constructor = inspect.getattr_static(_CLASSES[name], "__init__")
    _, *parameters = inspect.signature(constructor).parameters.values()
    found = {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        and (name, parameter.name) not in _DERIVED
    }
    if name == "Trainer":
        found = {"viewpoints": Reference("UniformViewpoints"), **found}
    # Files may bind parameters of an object that is there by default.
    return {
        parameter: Reference(type(default).__name__)
        if type(default).__name__ in _CLASSES
        else default
        for parameter, default in found.items()
    }


def _from_bindings(bindings: Bindings, source: str) -> Configuration:
    """Checks bindings and adds the defaults; error messages start with `source`."""
    bindings = _with_present_names(bindings, source)
    complete = {}
    for name in _CLASSES:
        given, parameters = bindings.get(name, {}), _parameters(name)
        for parameter, value in given.items():
            if parameter not in parameters:
                known = ", ".join(parameters)
                raise UserError(
                    f"{source}{name} has no parameter {parameter!r}; it has {known}"
                )
            _check_value(name, parameter, value, parameters[parameter], source)
        complete[name] = parameters | given
    unknown = [name for name in bindings if name not in _CLASSES]
    if unknown:
        raise UserError(
            f"{source}there is no {unknown[0]!r} to configure; there are "
            f"{', '.join(_CLASSES)}"
        )

    def resolved(name: str) -> dict[str, Any]:
        return {
            parameter: _make(_CLASSES[value.name], source, complete[value.name])
            if isinstance(value, Reference)
            else value
            for parameter, value in complete[name].items()
        }

    training = resolved("Trainer")
    viewpoints = training.pop("viewpoints")
    renderer = resolved("Renderer")
    if "background_range" not in bindings.get("Renderer", {}):
        renderer["background_range"] = tuple(viewpoints.limits[:2])
    return Configuration(
        generator=resolved("Generator"),
        discriminator=resolved("Discriminator"),
        renderer=renderer,
        viewpoints=viewpoints,
        training=_make(TrainingSettings, source, training),
    )


def _check_effect(
    bound: Sequence[tuple[str, str]], configuration: Configuration
) -> None:
    """Refuses parameters of objects that the configuration does not use."""
    used = configuration.parameters()
    for name, parameter in bound:
        # Former names of parameters are those of objects that are always used.
        if name in configuration.bindings():
            continue
        owner = next(
            ".".join(place) for place, classes in _OBJECTS.items() if name in classes
        )
        value = used[owner]
        shown = f"@{value.name}()" if isinstance(value, Reference) else value
        raise UserError(f"{name}.{parameter} has no effect, because {owner} is {shown}")


def _with_present_names(bindings: Bindings, source: str) -> Bindings:
    """Renames the parameters of older files."""
    present = {name: dict(values) for name, values in bindings.items()}
    for name, parameter in _FORMER:
        present.get(name, {}).pop(parameter, None)
    for (name, parameter), (new_name, new_parameter) in _FORMER_NAMES.items():
        if parameter not in present.get(name, {}):
            continue
        value = present[name].pop(parameter)
        if present.setdefault(new_name, {}).setdefault(new_parameter, value) != value:
            raise UserError(
                f"{source}{name}.{parameter} and {new_name}.{new_parameter} are the "
                "same and must be equal"
            )
    return present


def _check_value(
    name: str, parameter: str, value: Value, default: Value, source: str
) -> None:
    classes = _OBJECTS.get((name, parameter))
    if classes:
        kind = " or ".join(f"@{known}()" for known in classes)
        good = isinstance(value, Reference) and value.name in classes
        good = good or (value is None and default is None)
    else:
        kind = _kind(default)
        good = _is_like(value, default)
    if not good:
        shown = f"@{value.name}()" if isinstance(value, Reference) else repr(value)
        raise UserError(f"{source}{name}.{parameter} must be {kind}, got {shown}")


def _kind(default: Value) -> str:
    kinds = {bool: "True or False", int: "a whole number", float: "a number"}
    kinds |= {str: "text", tuple: "a tuple of numbers"}
    kinds |= {type(None): "rows of numbers or None"}
    return kinds[type(default)]


def _is_like(value: Value, default: Value) -> bool:
    """Whether a value is of the same kind as a default."""
    if default is None:  # Of a matrix.
        return value is None or (
            isinstance(value, tuple) and all(_is_like(row, ()) for row in value)
        )
    if isinstance(default, tuple):
        return isinstance(value, tuple) and all(_is_like(part, 0.0) for part in value)
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        # A whole number may be too large to become floating point.
        return isinstance(value, int | float) and abs(value) <= sys.float_info.max
    return isinstance(value, type(default))


def _make(cls: type, source: str, arguments: Mapping[str, Any]) -> Any:
    try:
        return cls(**arguments)
    except (ValueError, TypeError) as error:
        name = next(name for name, known in _CLASSES.items() if known is cls)
        reason = " ".join(str(error).split())
        raise UserError(f"{source}{name}.{reason}") from error


def _fields(value: Any) -> dict[str, Any]:
    return {
        field.name: getattr(value, field.name) for field in dataclasses.fields(value)
    }
