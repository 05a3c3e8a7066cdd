"""The bare surface of a head, without nose, eyes, mouth and ears.

The points of this surface define the face coordinates (see `landmarks.py`) in which
everything else is placed. The crown is at y = -0.65 and the chin at y = 0.65.
"""

import dataclasses
import functools

import numpy as np

from tf_unsup3d.geometry.sphere import octahedral_sphere

# How much denser the vertices are on the face, which has most of the detail.
_FACE_DENSITY = 0.35
_CENTER = np.array([0.0, -0.02, 0.0])


@dataclasses.dataclass(frozen=True, eq=False)
class HeadSurface:
    """A closed mesh in face coordinates.

    Attributes:
      points: [vertices, 3] float32 vertices.
      triangles: [triangles, 3] int32 vertex indices.
      neighbors: [triangles, 3] int32, see `Mesh`.
    """

    points: np.ndarray
    triangles: np.ndarray
    neighbors: np.ndarray


def _ellipsoid(
    points: np.ndarray,
    center: tuple[float, float, float],
    axes: tuple[float, float, float],
    power: float,
) -> np.ndarray:
    """Approximate distance from an ellipsoid; higher powers make it more angular."""
    scaled = np.abs((points - np.array(center)) / np.array(axes)) ** power
    return (scaled.sum(-1) ** (1.0 / power) - 1.0) * min(axes)


def _face(points: np.ndarray) -> np.ndarray:
    # The lower face narrows towards the chin.
    taper = 1.0 - 0.32 * np.clip((points[..., 1] - 0.12) / 0.55, 0.0, 1.0) ** 1.7
    narrowed = points / np.stack([taper, np.ones_like(taper), np.ones_like(taper)], -1)
    return _ellipsoid(narrowed, (0.0, 0.11, -0.15), (0.37, 0.53, 0.33), 2.4)


def _neck(points: np.ndarray) -> np.ndarray:
    lean = np.array([0.0, 0.0, 0.12])
    leaning = points - lean * (points[..., 1:2] - 0.3)
    return _ellipsoid(leaning, (0.0, 0.40, 0.11), (0.215, 0.44, 0.235), 4.0)


def _smooth_minimum(first: np.ndarray, second: np.ndarray, width: float) -> np.ndarray:
    overlap = np.maximum(width - np.abs(first - second), 0.0) / width
    return np.minimum(first, second) - 0.25 * width * overlap * overlap


def _signed_distance(points: np.ndarray) -> np.ndarray:
    """Approximate distance from a smooth union of cranium, face and neck.

    Args:
      points: [..., 3] face coordinates.

    Returns:
      [...] distances, negative inside.
    """
    cranium = _ellipsoid(points, (0.0, -0.16, 0.06), (0.415, 0.49, 0.545), 2.15)
    head = _smooth_minimum(cranium, _face(points), 0.12)
    return _smooth_minimum(head, _neck(points), 0.09)


@functools.cache
def head_surface(subdivisions: int) -> HeadSurface:
    """Fits an octahedral sphere to the surface.

    Each vertex lies where a ray from a point inside the head leaves the surface.

    Args:
      subdivisions: Number of segments into which each edge of the octahedron is
        divided.

    Returns:
      A mesh with the connectivity of the sphere.
    """
    sphere = octahedral_sphere(subdivisions)
    directions = sphere.directions.astype(np.float64)
    polar = np.arccos(np.clip(-directions[:, 2], -1.0, 1.0))
    nearer = polar - _FACE_DENSITY * np.sin(polar)
    in_plane = directions[:, :2] / np.maximum(np.sin(polar), 1e-9)[:, None]
    rays = np.concatenate(
        [in_plane * np.sin(nearer)[:, None], -np.cos(nearer)[:, None]], -1
    )
    near, far = np.zeros(len(rays)), np.full(len(rays), 1.5)
    for _ in range(40):
        middle = 0.5 * (near + far)
        inside = _signed_distance(_CENTER + middle[:, None] * rays) < 0.0
        near, far = np.where(inside, middle, near), np.where(inside, far, middle)
    points = _CENTER + near[:, None] * rays
    return HeadSurface(points.astype(np.float32), sphere.triangles, sphere.neighbors)
