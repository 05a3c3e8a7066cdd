"""The size of objects, which nothing in pictures determines."""

import math

import tensorflow as tf


def fix_size(
    vertices: tf.Tensor,
    radius: float,
    max_offset: float,
    max_stretch: float,
    fixed_depth: bool = False,
) -> tf.Tensor:
    """Gives objects a fixed size.

    The paper mentions a size constraint without its form. Here the RMS distance of the
    vertices from their centre is set, or their RMS extent along z alone, which needs no
    weight to be tuned and cannot be outgrown. Two bounds go with it:

    * The proportions. Otherwise an object escapes the constraint in the direction that
      the pictures show least, and grows long along the line of sight.
    * The offset of the centre. It lets an object choose the axis that it turns about.

    Args:
      vertices: `[batch, vertices, 3]`.
      radius: RMS distance of the vertices from their centre.
      max_offset: Largest distance of that centre from the origin.
      max_stretch: Bound of the RMS extents along x, y and z, each divided by the
        geometric mean that the three have before; above 1. It is approached smoothly.
        Relative to the mean afterwards, an extent is below `max_stretch ** (4 / 3)`.
      fixed_depth: Whether only the RMS extent along z is set, to that of a ball of this
        `radius`. Otherwise an object that is wider than others has to be shallower.

    Returns:
      `[batch, vertices, 3]`.
    """
    centre = tf.reduce_mean(vertices, 1, keepdims=True)
    centred = vertices - centre
    log_size = 0.5 * tf.math.log(
        tf.reduce_mean(tf.square(centred), 1, keepdims=True) + 1e-12
    )
    stretch = log_size - tf.reduce_mean(log_size, -1, keepdims=True)
    limit = math.log(max_stretch)
    centred *= tf.exp(limit * tf.tanh(stretch / limit) - stretch)
    mean_squares = tf.reduce_mean(tf.square(centred), 1, keepdims=True)
    if fixed_depth:
        mean_square = 3.0 * mean_squares[..., 2:]
    else:
        mean_square = tf.reduce_sum(mean_squares, -1, keepdims=True)
    distance = tf.sqrt(tf.reduce_sum(tf.square(centre), -1, keepdims=True) + 1e-12)
    offset = centre * tf.minimum(1.0, max_offset / distance)
    return centred * (radius * tf.math.rsqrt(mean_square + 1e-12)) + offset


def bound_width(vertices: tf.Tensor, width: float) -> tf.Tensor:
    """Bounds the width of objects.

    Shoulders and loose hair are in pictures of heads, too, and would become parts of
    the object, which would then be wider than deep. What lies in the inner three
    quarters of the width stays as it is; what lies beyond approaches the bound
    smoothly.

    Args:
      vertices: `[batch, vertices, 3]`.
      width: Largest extent along x, symmetric about 0; positive.

    Returns:
      `[batch, vertices, 3]`.
    """
    free, margin = 0.375 * width, 0.125 * width
    x, rest = vertices[..., :1], vertices[..., 1:]
    beyond = tf.maximum(tf.abs(x) - free, 0.0)
    x -= tf.sign(x) * (beyond - margin * tf.tanh(beyond / margin))
    return tf.concat([x, rest], -1)
