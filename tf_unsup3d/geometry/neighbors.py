"""The neighbours of triangles that are an input of a graph."""

import tensorflow as tf


def find_neighbors(triangles: tf.Tensor) -> tf.Tensor:
    """Finds the triangle across each edge with TensorFlow ops.

    It does what `tf_unsup3d.geometry.mesh.triangle_neighbors` does for arrays.

    Args:
      triangles: `[triangles, 3]` int32 vertex indices.

    Returns:
      `[triangles, 3]` int32: entry k of a row is the triangle that shares the edge
      opposite to corner k, or -1 where the mesh is open.

    Raises:
      tf.errors.InvalidArgumentError: More than two triangles share an edge.
    """
    corners = tf.cast(triangles, tf.int64)
    first, second = tf.roll(corners, -1, 1), tf.roll(corners, -2, 1)
    # One number for each edge, the same from both of its sides.
    edges = tf.minimum(first, second) * 2**32 + tf.maximum(first, second)
    edges = tf.reshape(edges, [-1])
    order = tf.argsort(edges)
    edges = tf.gather(edges, order)
    same = edges[1:] == edges[:-1]
    several = tf.debugging.Assert(
        ~tf.reduce_any(same[1:] & same[:-1]),
        ["triangles: an edge has more than two triangles"],
    )
    # An assertion of what is known at once is no op.
    with tf.control_dependencies([] if several is None else [several]):
        one = tf.boolean_mask(order[:-1], same)
    other = tf.boolean_mask(order[1:], same)
    neighbors = tf.tensor_scatter_nd_update(
        tf.fill(tf.shape(order), -1),
        tf.concat([one, other], 0)[:, None],
        tf.concat([other, one], 0) // 3,
    )
    return tf.reshape(neighbors, tf.shape(triangles))
