"""Histograms of styles and weights in TensorBoard."""

import tensorflow as tf

from tf_unsup3d.models.discriminator import Discriminator
from tf_unsup3d.models.generator import Generator
from tf_unsup3d.models.parts import Parts, discriminator_parts, generator_parts


def write_style_histogram(step: int, styles: tf.Tensor) -> None:
    """Writes the histogram of all numbers in `styles` by `tf.summary`'s writer."""
    tf.summary.histogram("generator/styles", styles, step=step)


def write_weight_histograms(
    step: int, generator: Generator, discriminator: Discriminator
) -> None:
    """Writes a histogram for each part of both networks by `tf.summary`'s writer."""
    _write("generator", generator_parts(generator), step)
    _write("discriminator", discriminator_parts(discriminator), step)


def _write(network: str, parts: Parts, step: int) -> None:
    for name, variables in parts.items():
        flat = [tf.reshape(tf.convert_to_tensor(each), [-1]) for each in variables]
        tf.summary.histogram(f"{network}/weights_{name}", tf.concat(flat, 0), step=step)
