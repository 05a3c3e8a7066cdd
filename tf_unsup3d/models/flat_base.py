"""The flat base of objects that are larger than the picture."""

import tensorflow as tf


def cut_below(vertices: tf.Tensor, limit: float) -> tf.Tensor:
    """Ends objects in a flat base, as the necks of scanned heads end.

    Pictures of heads show only a part of the neck or of the hair, and nothing limits
    what lies below them. Vertices there move onto the base on straight lines towards
    the point (0, 0, z) at the depth z of the object's middle, so that the surface above
    stays as it is, and triangles of an object that can be seen from that point keep
    their orientation.

    Args:
      vertices: `[batch, vertices, 3]`, with y pointing down.
      limit: Largest y of the result; positive.

    Returns:
      `[batch, vertices, 3]`.
    """
    x, y, z = tf.split(vertices, 3, -1)
    middle = tf.reduce_mean(z, 1, keepdims=True)
    scale = limit / tf.maximum(y, limit)
    return tf.concat(
        [scale * x, tf.minimum(y, limit), middle + scale * (z - middle)], -1
    )
