"""The distance between whole surfaces, their backs included."""

import numpy as np
import scipy.spatial

# Points on each surface. With more, the distance falls by less than it varies by.
_POINTS = 4000
_ROUNDS = 30


def chamfer_distance(
    vertices: np.ndarray,
    triangles: np.ndarray,
    target_vertices: np.ndarray,
    target_triangles: np.ndarray,
    *,
    seed: int = 0,
) -> float:
    """Measures how far two surfaces are apart after the best similarity transform.

    The first surface is moved, turned and scaled onto the second one by iterated
    closest points (Besl and McKay 1992, with the similarity of Umeyama 1991), starting
    with the same middle and size and without a turn.

    Args:
      vertices: `[vertices, 3]` of the surface that is moved.
      triangles: `[triangles, 3]` indices of its vertices.
      target_vertices: `[target_vertices, 3]` of the other surface.
      target_triangles: `[target_triangles, 3]` indices of its vertices.
      seed: Seed of the points that are drawn on the surfaces.

    Returns:
      The mean of the mean distances from the points of each surface to the nearest
      point of the other one, as a part of the RMS radius of the second surface.
    """
    rng = np.random.default_rng(seed)
    points = sample_surface(vertices, triangles, _POINTS, rng)
    target = sample_surface(target_vertices, target_triangles, _POINTS, rng)
    points = (points - points.mean(0)) / _rms_radius(points)
    target = (target - target.mean(0)) / _rms_radius(target)
    nearest_target = scipy.spatial.KDTree(target)
    for _ in range(_ROUNDS):
        # Pairs in both directions, lest a part of one surface be left out.
        forward = nearest_target.query(points)[1]
        backward = scipy.spatial.KDTree(points).query(target)[1]
        moved = np.concatenate([points, points[backward]])
        points = _similarity(moved, np.concatenate([target[forward], target]), points)
    there = nearest_target.query(points)[0].mean()
    back = scipy.spatial.KDTree(points).query(target)[0].mean()
    return float(0.5 * (there + back))


def sample_surface(
    vertices: np.ndarray, triangles: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Draws points that are evenly distributed over a surface.

    Args:
      vertices: `[vertices, 3]`.
      triangles: `[triangles, 3]` vertex indices.
      count: Number of points.
      rng: Random number generator.

    Returns:
      `[count, 3]` float64.
    """
    a, b, c = np.moveaxis(np.asarray(vertices, np.float64)[triangles], 1, 0)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=-1)
    # Evenly spaced through the triangles, which varies less than independent draws.
    places = (np.arange(count) + rng.uniform(size=count)) / count
    chosen = np.searchsorted(np.cumsum(area) / area.sum(), places)
    chosen = np.minimum(chosen, len(area) - 1)
    u, v = rng.uniform(size=(2, count, 1))
    # The other half of the parallelogram is folded onto the triangle.
    u, v = np.where(u + v > 1.0, 1.0 - u, u), np.where(u + v > 1.0, 1.0 - v, v)
    return a[chosen] + u * (b - a)[chosen] + v * (c - a)[chosen]


def _rms_radius(points: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.sum((points - points.mean(0)) ** 2, -1))))


def _similarity(
    source: np.ndarray, target: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """Moves points by the similarity that best takes source to target, `[n, 3]`."""
    middle, onto = source.mean(0), target.mean(0)
    centred = source - middle
    u, values, vt = np.linalg.svd((target - onto).T @ centred)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = (values * signs).sum() / np.sum(centred**2)
    return onto + scale * (points - middle) @ (u * signs @ vt).T
