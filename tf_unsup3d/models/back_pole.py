"""Surface and texture around the back pole, which their maps show as a circle."""

import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.sphere import polar_part

# Displacements begin to fade at this angle from the front pole, in units of pi. It is
# well on the back, so that the fading leaves the front and the sides alone.
_FADE_START = 0.75
# The angles between which textures fade, and the half width of the ring whose mean they
# fade to. A head that is turned by 40 degrees shows what is up to 0.72 from its front,
# but what is beyond 0.6 only at a slant.
_TEXTURE_FADE = (0.6, 0.85)
_RING_WIDTH = 0.08


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
    distance = np.abs(part - begin)
    # Small maps may have no texel in the ring: then it is of those that are nearest.
    ring = distance < max(_RING_WIDTH, distance.min() + 1e-6)
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
