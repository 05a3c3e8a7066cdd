"""Normals of triangles and vertices."""

import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.rows import from_rows, gather_columns, to_rows


def triangle_normals(
    vertices: tf.Tensor, triangles: np.ndarray | tf.Tensor
) -> tf.Tensor:
    """Computes normals that are twice as long as the area of their triangle.

    Args:
      vertices: `[batch, vertices, 3]` floating point.
      triangles: `[triangles, 3]` integer vertex indices.

    Returns:
      `[batch, triangles, 3]`, pointing to the front of the triangle (see `Mesh`).
    """
    return from_rows(_triangle_normals(to_rows(vertices), triangles))


def vertex_normals(vertices: tf.Tensor, triangles: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Computes unit normals, the means of the adjacent triangles' weighted by area.

    Args:
      vertices: `[batch, vertices, 3]` floating point.
      triangles: `[triangles, 3]` integer vertex indices.

    Returns:
      `[batch, vertices, 3]`, pointing to the front of the triangles (see `Mesh`).
    """
    rows = to_rows(vertices)
    normals = _triangle_normals(rows, triangles)
    count = tf.shape(rows)[0]
    sums = [
        tf.math.unsorted_segment_sum(normals, corner, count)
        for corner in tf.unstack(tf.transpose(triangles))
    ]
    sums = from_rows(tf.add_n(sums))
    # Areas may be of any size, but what `l2_normalize` takes for 0 is not.
    largest = tf.reduce_max(tf.abs(sums), [1, 2], keepdims=True)
    sums = tf.math.divide_no_nan(sums, tf.stop_gradient(largest))
    return tf.math.l2_normalize(sums, -1)


def _triangle_normals(rows: tf.Tensor, triangles: np.ndarray | tf.Tensor) -> tf.Tensor:
    """`[triangles, 3, batch]` of vertices `[vertices, 3, batch]`."""
    a, b, c = gather_columns(rows, triangles)
    u, v, w = tf.unstack(b - a, axis=1)
    x, y, z = tf.unstack(c - a, axis=1)
    return tf.stack([v * z - w * y, w * x - u * z, u * y - v * x], 1)
