"""Checks of inputs that would give a wrong picture without an error."""

import math

import tensorflow as tf


def check_options(margin: float, depth_push: float) -> None:
    """Checks the options of both ops, as these do.

    Args:
      margin: Width of the soft layer in pixels.
      depth_push: Part of its depth by which the soft layer recedes over the margin.

    Raises:
      tf.errors.InvalidArgumentError: One is not finite, or negative.
    """
    for name, value in (("margin", margin), ("depth_push", depth_push)):
        if not 0.0 <= value < math.inf:
            raise tf.errors.InvalidArgumentError(
                None, None, f"{name} must be finite and at least 0, got {value}"
            )


def check_finite(vertices: tf.Tensor) -> tf.Tensor:
    """Returns vertices, which must be finite.

    Args:
      vertices: `[batch, vertices, 3]`.

    Raises:
      tf.errors.InvalidArgumentError: One is not, when the graph runs.
    """
    return tf.debugging.check_numerics(vertices, "vertices must be finite")


def check_sizes(
    vertices: tf.Tensor,
    texture: tf.Tensor,
    attributes: tf.Tensor,
    background: tf.Tensor,
) -> None:
    """Checks that the inputs of a picture belong together.

    Args:
      vertices: `[batch, vertices, 3]`.
      texture: `[batch, texture_height, texture_width, texture_channels]`.
      attributes: `[batch, vertices, attribute_channels]`.
      background: `[batch, height, width, texture_channels + attribute_channels]`.

    Raises:
      tf.errors.InvalidArgumentError: They do not; when the graph runs where sizes are
        not known before.
    """
    counts = tf.shape(vertices)[:2]
    channels = tf.shape(texture)[-1:] + tf.shape(attributes)[-1:]
    for found, expected, message in (
        (tf.shape(texture)[:1], counts[:1], "texture and vertices differ in number"),
        (tf.shape(attributes)[:2], counts, "attributes and vertices differ in number"),
        (
            tf.shape(background)[:1],
            counts[:1],
            "background and vertices differ in number",
        ),
        (
            tf.shape(background)[-1:],
            channels,
            "background must have as many channels as texture and attributes",
        ),
    ):
        tf.debugging.assert_equal(found, expected, message)


def check_picture_size(height: int | tf.Tensor, width: int | tf.Tensor) -> None:
    """Checks that pictures have pixels.

    Args:
      height: Height of the pictures in pixels.
      width: Width of the pictures in pixels.

    Raises:
      tf.errors.InvalidArgumentError: They have none; when the graph runs where sizes
        are not known before.
    """
    for name, size in (("height", height), ("width", width)):
        tf.debugging.assert_positive(size, f"pictures must have a {name}")
