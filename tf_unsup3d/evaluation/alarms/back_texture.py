"""A measure of the texture on the back of an object."""

import numpy as np

from tf_unsup3d.export.vertex_colours import colours_at
from tf_unsup3d.geometry.sphere import direction_to_uv

# Angles from the back pole, in degrees, and points around it at each angle.
_ANGLES = np.arange(15.0, 61.0, 5.0)
_POINTS = 72


def back_streaks(texture: np.ndarray, magnification: float = 1.0) -> np.ndarray:
    """Measures how much a texture looks like a star of streaks around the back pole.

    The map shows the back pole as a whole circle, so what a network paints along its
    border runs together in the pole. Along such streaks colours hardly change, across
    them they change fast.

    Args:
      texture: `[objects, height, width, 3]` in [-1, 1].
      magnification: Magnification of the map; see `sphere.direction_to_uv`.

    Returns:
      `[objects]`, the RMS change of the colours around the back pole minus that towards
      it, per radian of the sphere.
    """
    polar = np.radians(_ANGLES)[:, None]
    azimuth = 2.0 * np.pi * np.arange(_POINTS)[None] / _POINTS
    x, y = np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth)
    directions = np.stack([x, y, np.broadcast_to(np.cos(polar), x.shape)], -1)
    uv = direction_to_uv(directions, magnification)
    # [objects, channels, angles, points]
    colours = np.moveaxis(np.array([colours_at(each, uv) for each in texture]), -1, 1)
    step_around = 4.0 * np.pi / _POINTS * np.sin(polar)
    around = (np.roll(colours, -1, -1) - np.roll(colours, 1, -1)) / step_around
    step_towards = 2.0 * np.radians(_ANGLES[1] - _ANGLES[0])
    towards = (colours[..., 2:, :] - colours[..., :-2, :]) / step_towards
    return _rms(around[..., 1:-1, :]) - _rms(towards)


def _rms(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean(values**2, (1, 2, 3)))
