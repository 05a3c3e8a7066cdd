"""Starting from the networks of another run, also one of another resolution."""

import pathlib
from collections.abc import Iterator

import keras
import tensorflow as tf

from tf_unsup3d.compat import checkpointable
from tf_unsup3d.errors import UserError
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.checkpoints import restore_checkpoint, restore_newest
from tf_unsup3d.training.state import TrainingState


def transfer_networks(state: TrainingState, folder: pathlib.Path) -> list[str]:
    """Copies what fits of the networks of a run or of a published generator.

    A run provides its generator, average and discriminator; a published folder provides
    a generator only. A layer is copied if the new network has one in the same place
    whose weights have the same shapes; otherwise it stays as it is. Levels are told
    apart by their resolution, so that a network with more of them takes all those of a
    smaller one.

    Args:
      state: The networks to copy to. The optimizers and the step stay as they are.
      folder: Folder of the run or of the published generator.

    Returns:
      A line for each network that says what was copied.

    Raises:
      UserError: The folder holds no networks, or nothing in them fits.
    """
    configuration = model_folder.read_configuration(folder)
    generator = configuration.make_generator()
    if model_folder.is_published(folder):
        model_folder.read_published(generator, folder)
        lines = [_copy(generator, state.generator, folder)]
        state.reset_average()
        return [*lines, "nothing of a discriminator, which begins anew"]
    average = configuration.make_generator("average")
    discriminator = configuration.make_discriminator()
    found = {
        "generator": checkpointable(generator.variables),
        "average": checkpointable(average.variables),
        "discriminator": checkpointable(discriminator.variables),
    }
    checkpoints = folder / model_folder.CHECKPOINTS_NAME
    if not restore_newest(
        checkpoints, lambda checkpoint: restore_checkpoint(checkpoint, found)
    ):
        raise UserError(f"--transfer_from: no checkpoint in {checkpoints}")
    return [
        _copy(generator, state.generator, folder),
        _copy(average, state.average, folder),
        _copy(discriminator, state.discriminator, folder),
    ]


def _copy(source: keras.Model, target: keras.Model, folder: pathlib.Path) -> str:
    """Copies the weights that fit, and describes them in a line."""
    found, wanted = dict(_named_variables(source)), dict(_named_variables(target))
    misfits = {
        _layer_of(name)
        for name, variable in wanted.items()
        if name not in found or found[name].shape != variable.shape
    }
    taken = [name for name in wanted if _layer_of(name) not in misfits]
    if not any(name.endswith("/kernel") for name in taken):
        raise UserError(
            f"--transfer_from: nothing in the {target.name} of {folder} fits this "
            "configuration"
        )
    for name in taken:
        wanted[name].assign(found[name].numpy())
    line = f"{len(taken)} of {len(wanted)} arrays of the {target.name}"
    # A layer and its resolution; what is within it need not be listed.
    fresh = dict.fromkeys(
        "/".join(name.split("/")[:3]) for name in wanted if name not in taken
    )
    return line + (f"; {', '.join(fresh)} begin anew" if fresh else "")


def _layer_of(name: str) -> str:
    """The layer of a variable, which is copied as a whole or not at all."""
    return name.rpartition("/")[0]


def _named_variables(
    layer: keras.layers.Layer, prefix: str = ""
) -> Iterator[tuple[str, tf.Variable]]:
    """Yields the variables of a layer with the names of their places in it.

    Of the layers in a list that belong to resolutions, each is named by its own.
    """
    sizes = getattr(layer, "sizes", None)
    for name, value in vars(layer).items():
        if name.startswith("_"):
            continue
        for key, item in _items(name, value, sizes):
            if isinstance(item, keras.layers.Layer):
                yield from _named_variables(item, f"{prefix}{key}/")
            elif hasattr(item, "assign"):
                (variable,) = checkpointable([item])
                yield f"{prefix}{key}", variable


def _items(
    name: str, value: object, sizes: list[int] | None
) -> list[tuple[str, object]]:
    """The elements of a list with their names, or another value by itself."""
    if not isinstance(value, list):
        return [(name, value)]
    keys = sizes or range(len(value))
    return [(f"{name}/{key}", item) for key, item in zip(keys, value, strict=False)]
