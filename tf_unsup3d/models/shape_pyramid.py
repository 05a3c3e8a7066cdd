"""From the levels of the shape pyramid to the vertices of the sphere mesh.

A shape map holds the positions of the points of the surface, laid out like the texture:
in the azimuthal map of the unit sphere (see `tf_unsup3d.geometry.sphere`).
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.sphere import SphereMesh


def sum_pyramid(
    maps: Sequence[tf.Tensor], weights: Sequence[float], size: int
) -> tf.Tensor:
    """Computes the weighted sum of shape maps, each enlarged to the same size.

    The filter is bicubic, because steps in a shape map are steps in the surface.

    Args:
      maps: `[batch, height, width, 3]` each, of known and equal height and width.
      weights: Weight of each map.
      size: Height and width of the sum, in texels.

    Returns:
      `[batch, size, size, 3]`.
    """
    return tf.add_n(
        [
            weight * _enlarge(shape_map, size)
            for shape_map, weight in zip(maps, weights, strict=True)
        ]
    )


def _enlarge(shape_map: tf.Tensor, size: int) -> tf.Tensor:
    """Resizes by two matrix products.

    Together with their gradient they take half the time of `tf.image.resize`, which
    only supplies the matrix.
    """
    unit = tf.eye(shape_map.shape[1])[None, :, :, None]
    matrix = tf.image.resize(unit, [size, shape_map.shape[1]], "bicubic")[0, :, :, 0]
    return tf.einsum("yh,bhwc,xw->byxc", matrix, shape_map, matrix)


def mirror(shape_map: tf.Tensor) -> tf.Tensor:
    """Computes the shape map of an object's mirror image, left to right.

    Args:
      shape_map: `[batch, height, width, 3]`.

    Returns:
      `[batch, height, width, 3]`.
    """
    return tf.reverse(shape_map, [2]) * [-1.0, 1.0, 1.0]


def sample_vertices(shape_map: tf.Tensor, mesh: SphereMesh) -> tf.Tensor:
    """Samples a shape map bilinearly at the vertices of the sphere mesh.

    The back pole, which the map shows as a circle, becomes the mean of its samples.

    Args:
      shape_map: `[batch, size, size, 3]` of known size.
      mesh: The sphere mesh.

    Returns:
      `[batch, vertices, 3]`.
    """
    size = shape_map.shape[1]
    uv = np.asarray(mesh.uv)
    position = np.clip(uv * size - 0.5, 0.0, size - 1.0)
    corner = np.minimum(position.astype(np.int32), size - 2)
    weight_x, weight_y = np.moveaxis(position - corner, -1, 0).astype(np.float32)
    texels = tf.reshape(shape_map, [-1, size * size, 3])
    samples = 0.0
    for dy, by_y in enumerate([1.0 - weight_y, weight_y]):
        for dx, by_x in enumerate([1.0 - weight_x, weight_x]):
            index = (corner[:, 1] + dy) * size + corner[:, 0] + dx
            samples += tf.gather(texels, index, axis=1) * (by_x * by_y)[:, None]
    last = len(mesh.directions) - 1
    samples, pole = tf.split(samples, [last, len(uv) - last], 1)
    return tf.concat([samples, tf.reduce_mean(pole, 1, keepdims=True)], 1)
