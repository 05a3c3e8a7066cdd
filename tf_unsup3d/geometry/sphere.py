"""The fixed triangulated sphere and its azimuthal UV map.

The map is that of the paper, azimuthally equidistant, unless its front is magnified: a
face covers a quarter of the angle from the front pole to the back pole, and thus only a
sixteenth of the equidistant map. With magnification m, a point at angle t from the
front pole, in units of pi, lies at distance m t / sqrt(1 + (m^2 - 1) t^2) from the
centre of the map, in units of the distance of the back pole. This law is smooth at the
front pole, where it magnifies m times, and shrinks the back pole m^2 times.
"""

import dataclasses
import functools
import math

import numpy as np

from tf_unsup3d.geometry.mesh import Mesh


@dataclasses.dataclass(frozen=True, eq=False, init=False)
class SphereMesh(Mesh):
    """The mesh of a subdivided octahedron, with its UV map.

    There is one texture coordinate for each vertex, in the order of the vertices,
    except for the last vertex, the back pole: the map takes it to a whole circle, so it
    has one texture coordinate for each triangle around it. Each triangle that touches
    the back pole, or has an edge of the ring around it, is mapped to a single point.

    All fields are arrays, none of which is missing; see `Mesh` for the others.

    Attributes:
      directions: `[vertices, 3]` float32, unit vectors from the centre to the vertices.
    """

    triangles: np.ndarray
    uv: np.ndarray
    uv_triangles: np.ndarray
    neighbors: np.ndarray
    directions: np.ndarray

    def __init__(
        self,
        triangles: np.ndarray,
        uv: np.ndarray,
        uv_triangles: np.ndarray,
        neighbors: np.ndarray | None = None,
        *,
        directions: np.ndarray,
    ):
        super().__init__(triangles, uv, uv_triangles, neighbors)
        self._set(directions=directions)


def direction_to_uv(directions: np.ndarray, magnification: float = 1.0) -> np.ndarray:
    """Maps the sphere onto the unit square.

    The pole that faces the camera, (0, 0, -1), goes to the centre; the distance from
    the centre grows with the angle from that pole, and the back pole is the inscribed
    circle (there the azimuth 0 is chosen).

    Args:
      directions: `[..., 3]` vectors of any positive length.
      magnification: Magnification at the front pole, at least 1. 1 is the azimuthal
        equidistant map.

    Returns:
      `[..., 2]` UV coordinates in [0, 1], with the origin at the top left.
    """
    x, y, z = np.moveaxis(np.asarray(directions, np.float64), -1, 0)
    polar = np.arctan2(np.hypot(x, y), -z)
    azimuth = np.arctan2(y, x)
    part = polar / np.pi
    radius = (
        0.5 * magnification * part / np.sqrt(1.0 + (magnification**2 - 1.0) * part**2)
    )
    return 0.5 + radius[..., None] * np.stack([np.cos(azimuth), np.sin(azimuth)], -1)


def uv_to_direction(uv: np.ndarray, magnification: float = 1.0) -> np.ndarray:
    """Inverts `direction_to_uv`; points beyond the circle count as the back pole.

    Args:
      uv: `[..., 2]` UV coordinates.
      magnification: See `direction_to_uv`.

    Returns:
      `[..., 3]` unit vectors.
    """
    u, v = np.moveaxis(2.0 * np.asarray(uv, np.float64) - 1.0, -1, 0)
    radius = np.hypot(u, v)
    polar = np.pi * polar_part(radius, magnification)
    scale = np.sin(polar) / np.maximum(radius, 1e-12)
    return np.stack([u * scale, v * scale, -np.cos(polar)], -1)


def polar_part(radius: np.ndarray, magnification: float = 1.0) -> np.ndarray:
    """Finds the angle from the front pole of points of the map.

    Args:
      radius: Distances from the centre of the map, in units of that of the back pole.
      magnification: See `direction_to_uv`.

    Returns:
      The angles in units of pi, of the same shape; 1 beyond the back pole.
    """
    inside = np.minimum(radius, 1.0)
    return inside / np.sqrt(magnification**2 - (magnification**2 - 1.0) * inside**2)


def _ring_size(ring: int, subdivisions: int) -> int:
    return max(1, 4 * min(ring, 2 * subdivisions - ring))


def _strip(inner: np.ndarray, outer: np.ndarray) -> list[tuple[int, int, int]]:
    """Triangles between a ring and the next larger one, quadrant by quadrant."""
    segments = len(outer) // 4
    triangles = []
    for quadrant in range(4):
        for j in range(segments):
            first = outer[(quadrant * segments + j) % len(outer)]
            second = outer[(quadrant * segments + j + 1) % len(outer)]
            start = quadrant * (segments - 1) + j
            triangles.append((first, second, inner[start % len(inner)]))
            if j + 1 < segments:
                near, far = inner[start % len(inner)], inner[(start + 1) % len(inner)]
                triangles.append((near, second, far))
    return triangles


def octahedral_sphere(subdivisions: int, magnification: float = 1.0) -> SphereMesh:
    """Subdivides an octahedron into a sphere, cutting each edge into equal angles.

    The vertices lie on rings of constant angle from the front pole (0, 0, -1), ring k
    holding 4 k of them up to the equator, so that they are spread almost evenly over
    the front half of the UV map, where the detail is.

    Args:
      subdivisions: Number n of segments of an octahedron edge, at least 1.
      magnification: Magnification of the UV map at the front pole, at least 1; see
        `direction_to_uv`. Directions and triangles do not depend on it.

    Returns:
      A closed mesh of 4 n^2 + 2 vertices and 8 n^2 triangles. The first vertex is the
      front pole, the last one the back pole.

    Raises:
      ValueError: `subdivisions` or `magnification` is below 1.
    """
    if subdivisions < 1:
        raise ValueError(f"subdivisions must be at least 1, got {subdivisions}")
    if not magnification >= 1.0:
        raise ValueError(f"magnification must be at least 1, got {magnification}")
    return _octahedral_sphere(subdivisions, float(magnification))


@functools.cache
def _octahedral_sphere(subdivisions: int, magnification: float) -> SphereMesh:
    rings: list[np.ndarray] = []
    points: list[np.ndarray] = []
    for ring in range(2 * subdivisions + 1):
        size = _ring_size(ring, subdivisions)
        polar = np.pi * ring / (2 * subdivisions)
        azimuth = 2.0 * np.pi * np.arange(size) / size
        rings.append(len(points) + np.arange(size))
        sine = np.sin(polar)
        points += list(
            np.stack(
                [
                    sine * np.cos(azimuth),
                    sine * np.sin(azimuth),
                    np.full(size, -np.cos(polar)),
                ],
                -1,
            )
        )
    directions = np.array(points)
    strips: list[tuple[int, int, int]] = []
    for near, far in zip(rings[:-1], rings[1:], strict=True):
        strips += _strip(*sorted((near, far), key=len))
    triangles = np.array(strips, np.int32)
    a, b, c = np.moveaxis(directions[triangles], 1, 0)
    inward = np.sum(np.cross(b - a, c - a) * (a + b + c), -1) < 0.0
    triangles[inward] = triangles[inward][:, [0, 2, 1]]

    back_pole = len(directions) - 1
    uv = direction_to_uv(directions[:-1], magnification)
    uv_triangles = triangles.copy()
    pole_uv: list[np.ndarray] = []
    for row, corner in np.argwhere(triangles == back_pole):
        others = np.delete(directions[triangles[row]], corner, axis=0)
        azimuth = np.arctan2(others[:, 1].sum(), others[:, 0].sum())
        uv_triangles[row] = len(uv) + len(pole_uv)
        pole_uv.append(0.5 + 0.5 * np.array([np.cos(azimuth), np.sin(azimuth)]))
    # The edges of the last ring are chords that cut across a quarter of the map, far
    # into what is seen from the front. So its triangles show one colour each.
    on_last_ring = triangles >= rings[-2][0]
    for row in np.flatnonzero(on_last_ring.sum(1) == 2):
        (beyond,) = triangles[row][~on_last_ring[row]]
        if subdivisions > 1:
            uv_triangles[row] = beyond
    directions = directions.astype(np.float32)
    directions.setflags(write=False)
    return SphereMesh(
        triangles,
        uv=np.concatenate([uv, pole_uv]),
        uv_triangles=uv_triangles,
        directions=directions,
    )


def sphere_of_size(vertices: int, magnification: float = 1.0) -> SphereMesh:
    """Tells the sphere mesh by its number of vertices.

    Args:
      vertices: Number of vertices, 4 n^2 + 2 for n subdivisions.
      magnification: See `octahedral_sphere`.

    Returns:
      The mesh of `octahedral_sphere(n, magnification)`.

    Raises:
      ValueError: No sphere mesh has this number of vertices.
    """
    subdivisions = math.isqrt(max(vertices - 2, 0) // 4)
    if subdivisions < 1 or vertices != 4 * subdivisions**2 + 2:
        raise ValueError(
            f"no sphere mesh has {vertices} vertices, only 4 n^2 + 2: 6, 18, 38, ..."
        )
    return octahedral_sphere(subdivisions, magnification)
