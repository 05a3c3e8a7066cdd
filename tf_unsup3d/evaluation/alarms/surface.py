"""Measures of an object's mesh."""

import numpy as np

from tf_unsup3d.geometry.sphere import SphereMesh


def extent(vertices: np.ndarray) -> np.ndarray:
    """Measures how far the object reaches from the middle of the picture.

    Args:
      vertices: `[objects, vertices, 3]`.

    Returns:
      `[objects]`, the largest absolute x or y coordinate; an object of 1 just fits the
      picture.
    """
    return np.abs(vertices[..., :2]).max((1, 2))


def flipped_triangles(vertices: np.ndarray, mesh: SphereMesh) -> np.ndarray:
    """Measures the fraction of triangles that face against those of the sphere.

    Args:
      vertices: `[objects, vertices, 3]`.
      mesh: Sphere mesh of the vertices.

    Returns:
      `[objects]` in [0, 1].
    """
    outward = _triangle_normals(mesh.directions[None], mesh)
    return np.mean((_triangle_normals(vertices, mesh) * outward).sum(-1) < 0.0, -1)


def spikiness(vertices: np.ndarray, mesh: SphereMesh) -> np.ndarray:
    """Measures the mean angle between neighbouring triangles relative to the sphere's.

    On a finer mesh the angles of a smooth surface all shrink alike, so the ratio does
    not depend on the mesh.

    Args:
      vertices: `[objects, vertices, 3]`.
      mesh: Sphere mesh of the vertices.

    Returns:
      `[objects]`; 1 for a ball.
    """
    return _mean_bend(vertices, mesh) / _mean_bend(mesh.directions[None], mesh)


def half_shell(vertices: np.ndarray) -> np.ndarray:
    """Measures how deep the object is for its width.

    Where no picture shows more than one side, an object may end right behind it.

    Args:
      vertices: `[objects, vertices, 3]`.

    Returns:
      `[objects]`, the extent along z as a part of that along x; about 1.25 for a head.
    """
    width, _, depth = np.moveaxis(np.ptp(vertices, 1), -1, 0)
    return depth / np.maximum(width, 1e-9)


def back_spikiness(vertices: np.ndarray, mesh: SphereMesh) -> np.ndarray:
    """Measures the spikiness of the surface within 60 degrees of the back pole.

    Pictures seldom show the back, so nothing keeps it in shape; the mean over the whole
    surface hardly shows that it is rough.

    Args:
      vertices: `[objects, vertices, 3]`.
      mesh: Sphere mesh of the vertices.

    Returns:
      `[objects]`; 1 for a ball.
    """
    back = _triangle_normals(mesh.directions[None], mesh)[0, :, 2] > 0.5
    ball = _mean_bend(mesh.directions[None], mesh, back)
    return _mean_bend(vertices, mesh, back) / ball


def _triangle_normals(vertices: np.ndarray, mesh: SphereMesh) -> np.ndarray:
    """Outward unit normals `[objects, triangles, 3]`."""
    a, b, c = np.moveaxis(vertices[:, mesh.triangles], 2, 0)
    normals = np.cross(b - a, c - a)
    return normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)


def _mean_bend(
    vertices: np.ndarray, mesh: SphereMesh, triangles: slice | np.ndarray = slice(None)
) -> np.ndarray:
    """Mean angle `[objects]` between the chosen triangles and their neighbours."""
    normals = _triangle_normals(vertices, mesh)
    neighbors = normals[:, mesh.neighbors[triangles]]
    cosine = (normals[:, triangles, None] * neighbors).sum(-1)
    return np.arccos(np.clip(cosine, -1.0, 1.0)).mean((1, 2))
