"""Measures of an object's depth as seen from the front."""

import numpy as np

from tf_unsup3d.rendering.camera import PinholeCamera


def hollow_face(
    depth: np.ndarray, mask: np.ndarray, camera: PinholeCamera
) -> np.ndarray:
    """Measures how much farther from the camera the middle is than the rim.

    The ellipse with the moments of the mask has both: the middle is what lies within a
    third of its radius, the rim what lies beyond three quarters of it.

    Args:
      depth: `[pictures, height, width]`, depth from the camera.
      mask: `[pictures, height, width]` bool.
      camera: Camera of the depth maps.

    Returns:
      `[pictures]` in units of the object's width; negative for a head, 0 where nothing
      is in the mask.
    """
    values = np.zeros(len(depth))
    for i, points in enumerate(_points(depth, mask, camera)):
        if not len(points):
            continue
        centred = points[:, :2] - points[:, :2].mean(0)
        covariance = centred.T @ centred / len(centred) + 1e-9 * np.eye(2)
        # On the border of an ellipse this is 2.
        whitened = centred @ np.linalg.cholesky(np.linalg.inv(covariance))
        radius = np.linalg.norm(whitened, axis=-1)
        middle, rim = points[radius < 2.0 / 3.0, 2], points[radius > 1.5, 2]
        if len(middle) and len(rim):
            values[i] = (middle.mean() - rim.mean()) / _width(points)
    return values


def flatness(depth: np.ndarray, mask: np.ndarray, camera: PinholeCamera) -> np.ndarray:
    """Measures the range of depth around the best-fitting plane.

    The plane makes a tilted card as flat as one that faces the camera. The range is
    that between the 5th and the 95th percentile, because a few pixels do not turn a
    card into a head.

    Args:
      depth: `[pictures, height, width]`, depth from the camera.
      mask: `[pictures, height, width]` bool.
      camera: Camera of the depth maps.

    Returns:
      `[pictures]` in units of the object's width; about 0 for a card, and 0 where
      nothing is in the mask.
    """
    values = np.zeros(len(depth))
    for i, points in enumerate(_points(depth, mask, camera)):
        if not len(points):
            continue
        plane = np.concatenate([points[:, :2], np.ones([len(points), 1])], -1)
        fit = np.linalg.lstsq(plane, points[:, 2], rcond=None)[0]
        low, high = np.percentile(points[:, 2] - plane @ fit, [5.0, 95.0])
        values[i] = (high - low) / _width(points)
    return values


def _points(
    depth: np.ndarray, mask: np.ndarray, camera: PinholeCamera
) -> list[np.ndarray]:
    """The points `[points, 3]` in the mask of each picture."""
    points = camera.back_project(np.where(mask, depth, 1.0))
    return [picture[inside] for picture, inside in zip(points, mask, strict=True)]


def _width(points: np.ndarray) -> float:
    """Diameter of the disc that has the second moments of the points."""
    return 4.0 * np.sqrt(np.mean(np.var(points[:, :2], axis=0))) + 1e-9
