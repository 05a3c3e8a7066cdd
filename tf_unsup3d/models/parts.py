"""The parts of the networks: their levels by resolution, with their weights."""

from collections.abc import Iterable

import keras
import tensorflow as tf

from tf_unsup3d.models.discriminator import Discriminator
from tf_unsup3d.models.generator import Generator
from tf_unsup3d.models.synthesis import Synthesis

# The trained weights of each part, by its name.
Parts = dict[str, list[tf.Variable]]


def generator_parts(generator: Generator) -> Parts:
    """Divides the trained weights of a generator, which is built, among its parts.

    Returns:
      The weights of the mapping network, of each level of the object and of the
      background, and of the spread of the viewpoints if that is learned. The constant
      input of a synthesis network belongs to its first level.
    """
    parts = {"mapping": list(generator.mapping.trainable_variables)}
    parts |= _synthesis_parts("object", generator.object_synthesis)
    parts |= _synthesis_parts("background", generator.background_synthesis)
    if generator.learned_spread is not None:
        parts["viewpoint_spread"] = list(generator.learned_spread.trainable_variables)
    return parts


def discriminator_parts(discriminator: Discriminator) -> Parts:
    """Divides the trained weights of a discriminator, which is built, among its parts.

    Returns:
      The weights of each level, in the order in which a picture passes them, and those
      of the dense layers, which score it.
    """
    parts: Parts = {}
    for level, size in enumerate(discriminator.sizes):
        parts[_level_name("level", size)] = _variables(
            layers[level]
            for layers in (
                discriminator.from_colour,
                discriminator.first,
                discriminator.second,
                discriminator.skip,
            )
            if level < len(layers)
        )
    parts[_level_name("level", 4)] += discriminator.last_conv.trainable_variables
    parts["score"] = _variables([discriminator.last_dense, discriminator.score])
    return parts


def _synthesis_parts(name: str, synthesis: Synthesis) -> Parts:
    parts = {
        _level_name(name, size): _variables(
            layers[level]
            for layers in (synthesis.blocks, synthesis.to_colour, synthesis.to_shape)
            if level < len(layers)
        )
        for level, size in enumerate(synthesis.sizes)
    }
    parts[_level_name(name, 4)].insert(0, synthesis.start)
    return parts


def _level_name(name: str, size: int) -> str:
    return f"{name}_{size}x{size}"


def _variables(layers: Iterable[keras.layers.Layer]) -> list[tf.Variable]:
    return [variable for layer in layers for variable in layer.trainable_variables]
