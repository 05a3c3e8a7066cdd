"""From the levels of the shape pyramid to the vertices of objects of a fixed size.

A shape map holds the positions of the points of the surface, laid out like the texture:
in the azimuthal map of the unit sphere (see `tf_unsup3d.geometry.sphere`).
"""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.sphere import SphereMesh, polar_part

# Displacements begin to fade at this angle from the front pole, in units of pi. It is
# well on the back, so that the fading leaves the front and the sides alone.
_FADE_START = 0.75
# The angles between which textures fade, and the half width of the ring whose mean they
# fade to. A head that is turned by 40 degrees shows what is up to 0.72 from its front,
# but what is beyond 0.6 only at a slant.
_TEXTURE_FADE = (0.6, 0.85)
_RING_WIDTH = 0.08


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


def back_pole_window(size: int, magnification: float = 1.0) -> np.ndarray:
    """Computes weights that fall to 0 at the back pole, for `close_back_pole`.

    They are 1 up to three quarters of the way from the front pole to the back pole, and
    then fall smoothly, as a cosine does.

    Args:
      size: Height and width of the shape map, in texels.
      magnification: Magnification of the map at the front pole; see
        `sphere.direction_to_uv`.

    Returns:
      `[size, size, 1]` float32.
    """
    part = _polar_parts(size, magnification)
    fall = np.clip((part - _FADE_START) / (1.0 - _FADE_START), 0.0, 1.0)
    return (0.5 + 0.5 * np.cos(np.pi * fall)).astype(np.float32)


def close_back_pole(displacement: tf.Tensor, window: np.ndarray) -> tf.Tensor:
    """Makes a displacement of the sphere the same all around the back pole.

    The map shows the back pole, a single point, as a circle. Displacements that differ
    along the circle would crumple the surface there, so they fade to their mean.

    Args:
      displacement: `[batch, size, size, 3]`.
      window: `[size, size, 1]` weights from `back_pole_window`.

    Returns:
      `[batch, size, size, 3]`.
    """
    return _fade(displacement, window, window)


def close_texture(texture: tf.Tensor, magnification: float) -> tf.Tensor:
    """Makes a texture fade to one colour around the back pole.

    Where no picture shows the texture, nothing else keeps the colours along the circle
    that is the back pole from running together in a star of streaks. The colour is the
    mean of the ring where the fading begins, which pictures still show at a slant.

    Args:
      texture: `[batch, size, size, 3]` of known size.
      magnification: Magnification of the map at the front pole; see
        `sphere.direction_to_uv`.

    Returns:
      `[batch, size, size, 3]`.
    """
    part = _polar_parts(texture.shape[1], magnification)
    begin, end = _TEXTURE_FADE
    fall = np.clip((part - begin) / (end - begin), 0.0, 1.0)
    ring = np.abs(part - begin) < _RING_WIDTH
    return _fade(texture, 0.5 + 0.5 * np.cos(np.pi * fall), ring)


def _fade(values: tf.Tensor, window: np.ndarray, weights: np.ndarray) -> tf.Tensor:
    """Lets values fade to their weighted mean where a window falls to 0."""
    window, weights = (part.astype(np.float32) for part in (window, weights))
    total = tf.reduce_sum(values * weights, [1, 2], keepdims=True)
    mean = total / weights.sum()
    return mean + window * (values - mean)


def _polar_parts(size: int, magnification: float) -> np.ndarray:
    """The angles of texels from the front pole in units of pi, `[size, size, 1]`."""
    centres = (np.arange(size) + 0.5) / size
    radius = 2.0 * np.hypot(centres[:, None] - 0.5, centres[None, :] - 0.5)
    return polar_part(radius, magnification)[..., None]


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


def fix_size(
    vertices: tf.Tensor, radius: float, max_offset: float, max_stretch: float
) -> tf.Tensor:
    """Gives objects a fixed size.

    The paper mentions a size constraint without its form. Here the RMS distance of the
    vertices from their centre is set, which needs no weight to be tuned and cannot be
    outgrown. Two bounds go with it:

    * The proportions. Otherwise an object escapes the constraint in the direction that
      the pictures show least, and grows long along the line of sight.
    * The offset of the centre. It lets an object choose the axis that it turns about.

    Args:
      vertices: `[batch, vertices, 3]`.
      radius: RMS distance of the vertices from their centre.
      max_offset: Largest distance of that centre from the origin.
      max_stretch: Bound of the RMS extents along x, y and z, each divided by the
        geometric mean of the three; above 1. It is approached smoothly.

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
    mean_square = tf.reduce_mean(
        tf.reduce_sum(tf.square(centred), -1, keepdims=True), 1, keepdims=True
    )
    distance = tf.sqrt(tf.reduce_sum(tf.square(centre), -1, keepdims=True) + 1e-12)
    offset = centre * tf.minimum(1.0, max_offset / distance)
    return centred * (radius * tf.math.rsqrt(mean_square + 1e-12)) + offset
