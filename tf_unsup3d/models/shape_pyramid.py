"""From shape maps to the vertices of an object of a set size."""

import math

import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.sphere import SphereMesh


def sum_pyramid(maps: list[tf.Tensor], weights: list[float], size: int) -> tf.Tensor:
    """The weighted sum of shape maps, each upsampled smoothly to the finest.

    Args:
      maps: [batch, height, width, 3] each.
      weights: one for each map.
      size: height and width of the result.

    Returns:
      [batch, size, size, 3].
    """
    return tf.add_n(
        [
            weight * _enlarge(shape_map, size)
            for shape_map, weight in zip(maps, weights, strict=True)
        ]
    )


def _enlarge(shape_map, size):
    """Resizes by matrices: half the time of the op that they are of, with gradient."""
    unit = tf.eye(shape_map.shape[1])[None, :, :, None]
    matrix = tf.image.resize(unit, [size, shape_map.shape[1]], "bicubic")[0, :, :, 0]
    return tf.einsum("yh,bhwc,xw->byxc", matrix, shape_map, matrix)


def mirror(shape_map: tf.Tensor) -> tf.Tensor:
    """The shape map [batch, height, width, 3] of the object's mirror image."""
    return tf.reverse(shape_map, [2]) * [-1.0, 1.0, 1.0]


def back_pole_window(size: int, start: float = 0.75) -> np.ndarray:
    """Falls smoothly from 1 to 0 between a part of the way and the back pole.

    Args:
      size: height and width of the shape map.
      start: angle from the front pole where the fall begins, in units of pi.

    Returns:
      [size, size, 1] float32.
    """
    centres = (np.arange(size) + 0.5) / size
    radius = 2.0 * np.hypot(centres[:, None] - 0.5, centres[None, :] - 0.5)
    fall = np.clip((radius - start) / (1.0 - start), 0.0, 1.0)
    return (0.5 + 0.5 * np.cos(np.pi * fall))[..., None].astype(np.float32)


def close_back_pole(displacement: tf.Tensor, window: np.ndarray) -> tf.Tensor:
    """Makes a displacement of the sphere the same all around the back pole.

    The map shows that one point as a circle; displacements that differ along the
    circle would crumple the surface there. They fade to the mean one.

    Args:
      displacement: [batch, size, size, 3].
      window: [size, size, 1], of `back_pole_window`.

    Returns:
      [batch, size, size, 3].
    """
    mean = tf.reduce_sum(displacement * window, [1, 2], keepdims=True) / window.sum()
    return mean + window * (displacement - mean)


def sample_vertices(shape_map: tf.Tensor, mesh: SphereMesh) -> tf.Tensor:
    """Samples a shape map bilinearly at the vertices of the sphere mesh.

    The back pole, which the map shows as a circle, becomes the mean of its samples.

    Args:
      shape_map: [batch, size, size, 3].
      mesh: of the vertices.

    Returns:
      [batch, vertices, 3].
    """
    size = shape_map.shape[1]
    position = np.clip(mesh.uv * size - 0.5, 0.0, size - 1.0)
    corner = np.minimum(position.astype(np.int32), size - 2)
    weight_x, weight_y = np.moveaxis(position - corner, -1, 0).astype(np.float32)
    texels = tf.reshape(shape_map, [-1, size * size, 3])
    samples = 0.0
    for dy, by_y in enumerate([1.0 - weight_y, weight_y]):
        for dx, by_x in enumerate([1.0 - weight_x, weight_x]):
            index = (corner[:, 1] + dy) * size + corner[:, 0] + dx
            samples += tf.gather(texels, index, axis=1) * (by_x * by_y)[:, None]
    last = len(mesh.directions) - 1
    samples, pole = tf.split(samples, [last, len(mesh.uv) - last], 1)
    return tf.concat([samples, tf.reduce_mean(pole, 1, keepdims=True)], 1)


def fix_size(
    vertices: tf.Tensor, radius: float, max_offset: float, max_stretch: float
) -> tf.Tensor:
    """The size constraint: a set RMS distance of the vertices from their centre.

    The paper leaves its form open. A fixed size needs no weight to be tuned and cannot
    be outgrown. Without a bound on the proportions an object escapes it in the
    direction that the pictures show least, and grows long along the line of sight. A
    bounded offset of the centre lets the object choose the axis that it turns about.

    Args:
      vertices: [batch, vertices, 3].
      radius: root mean square distance from the centre of the vertices.
      max_offset: largest distance of that centre from the origin.
      max_stretch: bound of the object's RMS extent along x, y and z, each divided by
        the geometric mean of the three; approached smoothly.

    Returns:
      [batch, vertices, 3].
    """
    centre = tf.reduce_mean(vertices, 1, keepdims=True)
    centred = vertices - centre
    log_size = 0.5 * tf.math.log(
        tf.reduce_mean(tf.square(centred), 1, keepdims=True) + 1e-12
    )
    stretch = log_size - tf.reduce_mean(log_size, -1, keepdims=True)
    limit = math.log(max_stretch)
    centred *= tf.exp(limit * tf.tanh(stretch / limit) - stretch)
    mean_square = tf.reduce_mean(
        tf.reduce_sum(tf.square(centred), -1, keepdims=True), 1, keepdims=True
    )
    distance = tf.sqrt(tf.reduce_sum(tf.square(centre), -1, keepdims=True) + 1e-12)
    offset = centre * tf.minimum(1.0, max_offset / distance)
    return centred * (radius * tf.math.rsqrt(mean_square + 1e-12)) + offset
