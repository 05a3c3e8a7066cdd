"""Soft masks of the painted parts of a face, as functions of face coordinates."""

from collections.abc import Mapping

import numpy as np

from tf_unsup3d.heads.landmarks import (
    EAR_Y,
    EAR_Z,
    EYE_X,
    EYE_Y,
    MOUTH_HALF_WIDTH,
    MOUTH_Y,
)
from tf_unsup3d.heads.patterns import smooth_step, soft_edge

_EYE_HALF_WIDTH = 0.078
_IRIS_RADIUS = 0.032
_PUPIL_RADIUS = 0.013


def _spot(
    a: np.ndarray,
    b: np.ndarray | float,
    center_a: np.ndarray | float,
    center_b: float,
    width_a: float,
    width_b: float,
) -> np.ndarray:
    """A bump of height 1 over an ellipse."""
    return np.exp(-(((a - center_a) / width_a) ** 2) - ((b - center_b) / width_b) ** 2)


def face_regions(
    coordinates: np.ndarray,
    *,
    openness: float,
    gaze: tuple[float, float],
    brow_thickness: float,
    brow_arch: float,
    known: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Computes the weights of the painted parts of a face.

    Lengths are in face coordinates (see `landmarks.py`).

    Args:
      coordinates: [points, 3] face coordinates.
      openness: How far the eyes are open, relative to the usual 1.
      gaze: Offset (x, y) of the irises from the centres of the eyes.
      brow_thickness: Half the height of the eyebrows.
      brow_arch: How far the middle of the eyebrows is raised.
      known: Weights, [points] each in [0, 1], of the regions that the head model knows
        (see `HeadModel.regions`). They replace the painted ones.

    Returns:
      Weights, [points] each in [0, 1], by name: `eye`, `iris`, `pupil`, `glint`,
      `lash`, `lid`, `brow`, `lips`, `parting` (the line between the lips), `nostril`,
      `blush`, `beard` (where a beard can grow), `ear`, and `shade` (where little light
      arrives).
    """
    x, y, z = np.moveaxis(coordinates, -1, 0)
    side, sign = np.abs(x), np.sign(x)
    front = smooth_step(z, -0.05, -0.2)

    dx, dy = side - EYE_X, y - EYE_Y
    across = np.clip(1.0 - (dx / _EYE_HALF_WIDTH) ** 2, 0.0, 1.0)
    # The outer corner of an eye is slightly higher than the inner one.
    tilted = dy + 0.06 * dx
    upper, lower = -0.036 * openness * across, 0.024 * across
    inside = front * (across > 0.0)
    eye = inside * soft_edge(tilted - upper, 0.007) * soft_edge(lower - tilted, 0.007)
    from_iris = np.hypot(dx - sign * gaze[0], dy - gaze[1] + 0.004)
    iris = eye * soft_edge(_IRIS_RADIUS - from_iris, 0.006)
    pupil = eye * soft_edge(_PUPIL_RADIUS - from_iris, 0.005)
    glint = eye * soft_edge(
        0.006 - np.hypot(dx - sign * (gaze[0] - 0.010), dy - gaze[1] + 0.015), 0.005
    )
    lash = front * np.sqrt(across) * _spot(tilted, 0, upper - 0.003, 0, 0.008, 1)
    lid = front * _spot(dx, dy, 0.0, -0.035, 0.075, 0.028)

    along = (side - 0.065) / 0.205
    brow_y = EYE_Y - 0.082 - brow_arch * np.sin(np.pi * np.clip(along, 0, 1) ** 1.4)
    brow_y = brow_y + 0.012 * along
    taper = 1.0 - 0.6 * np.clip(along, 0.0, 1.0) ** 2
    brow = (
        front
        * soft_edge(brow_thickness * taper - np.abs(y - brow_y), 0.014)
        * soft_edge(side - 0.065, 0.04)
        * soft_edge(0.265 - side, 0.03)
    )

    width = np.clip(1.0 - (x / (1.04 * MOUTH_HALF_WIDTH)) ** 2, 0.0, 1.0)
    bow = 1.0 - 0.28 * np.exp(-((x / 0.016) ** 2))
    lips = (
        front
        * (width > 0.0)
        * soft_edge(y - MOUTH_Y + 0.046 * bow * width**0.7, 0.010)
        * soft_edge(MOUTH_Y + 0.056 * width**0.6 - y, 0.012)
    )
    parting = front * np.sqrt(width) * _spot(y, 0, MOUTH_Y, 0, 0.008, 1)
    nostril = front * _spot(side, y, 0.034, 0.268, 0.020, 0.011)

    blush = front * (
        _spot(side, y, 0.22, 0.17, 0.11, 0.09) + 0.7 * _spot(x, y, 0, 0.22, 0.06, 0.05)
    )
    above = 0.34 - 0.45 * np.maximum(side - 0.12, 0.0)
    jaw = smooth_step(y, above - 0.06, above + 0.10) * smooth_step(z, 0.02, -0.22)
    beard = jaw * smooth_step(y - 0.3 * z, 0.82, 0.70) * (1.0 - lips)
    ear = smooth_step(side, 0.2, 0.3) * _spot(y, z, EAR_Y, EAR_Z, 0.13, 0.08)

    under_chin = smooth_step(y - 0.55 * z, 0.62, 0.86) * smooth_step(z, -0.45, -0.3)
    shade = (
        0.30 * front * _spot(side, y, 0.13, -0.01, 0.10, 0.05)
        + 0.35 * front * _spot(x, y, 0.0, 0.275, 0.07, 0.022)
        + 0.18 * front * _spot(x, y, 0.0, MOUTH_Y + 0.085, 0.09, 0.022)
        + 0.35 * under_chin
        + 0.35 * ear * _spot(y, z, EAR_Y, EAR_Z - 0.012, 0.08, 0.04)
    )
    painted = {
        "eye": eye,
        "iris": iris,
        "pupil": pupil,
        "glint": glint,
        "lash": np.minimum(lash, 1.0),
        "lid": lid,
        "brow": brow,
        "lips": lips,
        "parting": parting,
        "nostril": nostril,
        "blush": blush,
        "beard": beard,
        "ear": ear,
        "shade": np.minimum(shade, 0.8),
    }
    known = dict(known)
    if "brow" in known:
        # The region limits where eyebrows can be; their line belongs to the person.
        known["brow"] = brow * smooth_step(known["brow"], 0.02, 0.15)
    return painted | known
