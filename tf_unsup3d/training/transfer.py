"""Starts networks from those of another run, which may be of another resolution.

Levels of the same resolution are copied. A level that the other run lacks starts
anew, and adds nothing to the objects at first, so that training goes on where the other
run ended. So do the levels of a generator from one on that has other channels there.
"""

import itertools
import math
import os
import pathlib
from collections.abc import Iterator, Sequence

import keras

from tf_unsup3d.errors import UserError
from tf_unsup3d.models.discriminator import Discriminator
from tf_unsup3d.models.generator import Generator
from tf_unsup3d.models.synthesis import Synthesis
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.checkpoints import restore_checkpoint, restore_newest
from tf_unsup3d.trained.discriminator_files import load_discriminator
from tf_unsup3d.training.state import TrainingState

# A layer of the other run, and the one that becomes its copy.
_Pair = tuple[keras.layers.Layer, keras.layers.Layer]


def transfer(source: str | os.PathLike, state: TrainingState) -> list[str]:
    """Copies the networks of another run or of a published generator.

    A run provides its generator, average and discriminator; a published folder provides
    a generator, and its discriminator if it holds one. The optimizers and the step are
    not transferred.

    Args:
      source: Folder or checkpoint of the run, folder of the published generator, or
        "pretrained:NAME".
      state: The state that starts from them.

    Returns:
      Lines that say what was copied, and what starts anew.

    Raises:
      UserError: The folder holds no networks, or their layers do not fit.
    """
    folder, checkpoint = model_folder.find_model(source)
    other = TrainingState(model_folder.read_configuration(folder))
    published = model_folder.is_published(folder)
    discriminator: Discriminator | None = other.discriminator
    if published:
        model_folder.read_published(other.generator, folder)
        other.reset_average()
        discriminator = load_discriminator(folder)
    else:
        checkpoints = folder / model_folder.CHECKPOINTS_NAME
        networks = other.networks()
        if checkpoint:
            restore_checkpoint(checkpoint, networks)
        elif not restore_newest(
            checkpoints, lambda checkpoint: restore_checkpoint(checkpoint, networks)
        ):
            raise UserError(f"--transfer_from: no checkpoint in {checkpoints}")
    lines = []
    for old, new in (
        (other.generator, state.generator),
        (other.average, state.average),
    ):
        _copy(_generator_layers(old, new), folder)
        for name, what in (
            ("object_synthesis", "texture"),
            ("background_synthesis", "background"),
        ):
            _continue_sums(getattr(old, name), getattr(new, name))
            if new is state.generator:
                lines += _new_levels(getattr(old, name), getattr(new, name), what)
    lines += _begin_spread(other.generator, state)
    names = "the generator" if published else "the generator, its moving average"
    if discriminator is None:
        return [names, *lines, "no discriminator: it starts anew"]
    _copy(_discriminator_layers(discriminator, state.discriminator), folder)
    lines += _new_levels(discriminator, state.discriminator, "discriminator")
    lines += _new_entries(discriminator, state.discriminator)
    return [f"{names} and the discriminator", *lines]


def _new_levels(
    source: Synthesis | Discriminator, target: Synthesis | Discriminator, what: str
) -> list[str]:
    """A line for each level that the other run lacks, or that does not fit."""
    missing = set(target.sizes) - set(source.sizes)
    unfit: set[int] = set()
    if isinstance(source, Synthesis) and isinstance(target, Synthesis):
        unfit = set(target.sizes[_common_levels(source, target) :]) - missing
    return [
        f"no level of {size} x {size} of the {what}: it starts anew"
        if size in missing
        else f"the level of {size} x {size} of the {what} does not fit: it starts anew"
        for size in target.sizes
        if size in missing | unfit
    ]


def _new_entries(source: Discriminator, target: Discriminator) -> list[str]:
    """A line for each size of pictures that the other discriminator never took in."""
    known = source.sizes[: len(source.from_colour)]
    return [
        f"the discriminator has seen no pictures of {size} x {size}: its first layer "
        "for them starts anew"
        for size in target.sizes[: len(target.from_colour)]
        if size not in known and size in source.sizes
    ]


def _common_levels(source: Synthesis, target: Synthesis) -> int:
    """The number of levels, from the coarsest on, that can be copied; at least one."""
    pairs = zip(source.channels, target.channels, strict=False)
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
    return max(1, len(list(same)))


def _begin_spread(source: Generator, state: TrainingState) -> list[str]:
    """Begins learned viewpoints that the other run lacks; says if only one has them."""
    if bool(source.learned_spread) == bool(state.generator.learned_spread):
        return []
    if source.learned_spread:
        return ["its learned viewpoints are left out: those that are configured hold"]
    for generator in (state.generator, state.average):
        if generator.learned_spread:
            generator.learned_spread.reset()
    return ["no learned viewpoints: they begin with those that are configured"]


def _generator_layers(source: Generator, target: Generator) -> Iterator[_Pair]:
    yield source.mapping, target.mapping
    if source.learned_spread and target.learned_spread:
        yield source.learned_spread, target.learned_spread
    for name in ("object_synthesis", "background_synthesis"):
        old, new = getattr(source, name), getattr(target, name)
        common = _common_levels(old, new)
        for old_layers, new_layers in (
            (old.blocks, new.blocks),
            (old.to_colour, new.to_colour),
            (old.to_shape, new.to_shape),
        ):
            # The first levels of both are those of 4 x 4.
            yield from zip(old_layers[:common], new_layers, strict=False)


def _discriminator_layers(
    source: Discriminator, target: Discriminator
) -> Iterator[_Pair]:
    yield source.last_conv, target.last_conv
    yield source.last_dense, target.last_dense
    yield source.score, target.score
    for name in ("first", "second", "skip", "from_colour"):
        old = dict(zip(source.sizes, getattr(source, name), strict=False))
        new = dict(zip(target.sizes, getattr(target, name), strict=False))
        for size in old.keys() & new.keys():
            yield old[size], new[size]


def _copy(pairs: Iterator[_Pair], folder: pathlib.Path) -> None:
    for source, target in pairs:
        values = source.get_weights()
        found = [value.shape for value in values]
        expected = [value.shape for value in target.get_weights()]
        if found != expected:
            raise UserError(
                f"--transfer_from: the {target.name} of {folder} has weights "
                f"{_shapes(found)}, not {_shapes(expected)} as configured"
            )
        target.set_weights(values)


def _shapes(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(str(list(shape)) for shape in shapes)


def _continue_sums(source: Synthesis, target: Synthesis) -> None:
    """Makes the sums over levels what they were.

    Args:
      source: The network of the other run.
      target: The copy, in which levels may have been added or left out.
    """
    target.start.assign(source.start)
    # The picture is divided by the square root of the number of levels.
    factor = math.sqrt(len(target.sizes) / len(source.sizes))
    copied = _common_levels(source, target)
    for layers, common, scale in (
        (target.to_colour, copied, factor),
        (target.to_shape, min(copied, len(source.to_shape)), 1.0),
    ):
        for level, layer in enumerate(layers):
            change = scale if level < common else 0.0
            layer.kernel.assign(change * layer.kernel)
            layer.bias.assign(change * layer.bias)
