"""Edits of open meshes that are valid for every shape of a linear model.

An edit returns a sparse matrix [new vertices, vertices] that maps the old vertices, or
any values given at them, to the new vertices.
"""

from typing import TypeAlias

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
import scipy.sparse.linalg

from tf_unsup3d.geometry.edges import boundary_edges

# Strength of the smoothing of the surface under the hair.
_SMOOTHING = 3.0

Matrix: TypeAlias = scipy.sparse.csr_array


def apply(matrix: Matrix, values: np.ndarray) -> np.ndarray:
    """Applies an edit to values at the vertices.

    Args:
      matrix: [new vertices, vertices] matrix of the edit.
      values: [vertices, ...] values.

    Returns:
      [new vertices, ...] float32 values at the new vertices.
    """
    width = int(np.prod(values.shape[1:]))
    flat = matrix @ values.reshape(len(values), width).astype(np.float64)
    return flat.reshape(matrix.shape[0], *values.shape[1:]).astype(np.float32)


def enclosed(triangles: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Finds what a region encloses, as the lips enclose the inside of the mouth.

    Args:
      triangles: [triangles, 3] vertex indices.
      region: [vertices] bool, true in the region.

    Returns:
      [vertices] bool, true in the connected parts outside the region that touch it,
      except the largest part.
    """
    count = len(region)
    edges = triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    beside = edges[~region[edges].any(1)]
    links = scipy.sparse.coo_array((np.ones(len(beside)), beside.T), (count, count))
    _, part = scipy.sparse.csgraph.connected_components(links, directed=False)
    touching = edges[region[edges].sum(1) == 1]
    parts, sizes = np.unique(part[~region], return_counts=True)
    parts = np.setdiff1d(parts, parts[np.argmax(sizes)])
    parts = np.intersect1d(parts, part[touching[~region[touching]]])
    return ~region & np.isin(part, parts)


def cut(triangles: np.ndarray, heights: np.ndarray) -> tuple[Matrix, np.ndarray]:
    """Cuts off the part of a surface in which the height is positive.

    Args:
      triangles: [triangles, 3] vertex indices.
      heights: [vertices] heights above the cut.

    Returns:
      The matrix of the edit, and the new triangles, [new triangles, 3] int32.
    """
    above = heights[triangles] > 0.0
    kept = triangles[~above.any(1)].tolist()
    rows = [{vertex: 1.0} for vertex in range(len(heights))]
    crossings = {}

    def crossing(first: int, second: int) -> int:
        key = (min(first, second), max(first, second))
        if key not in crossings:
            crossings[key] = len(rows)
            a, b = (float(heights[vertex]) for vertex in key)
            rows.append({key[0]: b / (b - a), key[1]: a / (a - b)})
        return crossings[key]

    for triangle, cornered in zip(triangles, above, strict=True):
        if cornered.sum() == 1:
            a, b, c = np.roll(triangle, -int(np.argmax(cornered))).tolist()
            # Only a is cut off, so that a quadrilateral remains.
            kept += [[crossing(a, b), b, c], [crossing(a, b), c, crossing(c, a)]]
        elif cornered.sum() == 2:
            a, b, c = np.roll(triangle, -int(np.argmin(cornered))).tolist()
            kept.append([a, crossing(a, b), crossing(c, a)])
    used, indices = np.unique(np.array(kept, np.int32), return_inverse=True)
    entries = [
        (row, vertex, weight)
        for row, index in enumerate(used)
        for vertex, weight in rows[index].items()
    ]
    row, column, weight = np.array(entries).T
    matrix = scipy.sparse.csr_array(
        (weight, (row.astype(int), column.astype(int))), (len(used), len(heights))
    )
    return matrix, indices.reshape(-1, 3).astype(np.int32)


def close(triangles: np.ndarray, count: int) -> tuple[Matrix, np.ndarray]:
    """Closes each hole by a fan of triangles around the mean of its rim.

    The rim is duplicated, so that the fan does not affect the normals beside the hole.

    Args:
      triangles: [triangles, 3] vertex indices.
      count: Number of vertices.

    Returns:
      The matrix of the edit, and the new triangles, [new triangles, 3] int32.
    """
    edges = boundary_edges(triangles)
    rim = np.unique(edges)
    links = scipy.sparse.coo_array((np.ones(len(edges)), edges.T), (count, count))
    _, part = scipy.sparse.csgraph.connected_components(links, directed=False)
    holes, hole = np.unique(part[rim], return_inverse=True)
    same = scipy.sparse.eye_array(count, format="csr")
    mean = scipy.sparse.coo_array(
        (1.0 / np.bincount(hole)[hole], (hole, rim)), (len(holes), count)
    )
    matrix = scipy.sparse.vstack([same, same[rim], mean]).tocsr()
    ends = count + np.searchsorted(rim, edges)
    centres = count + len(rim) + np.searchsorted(holes, part[edges[:, 0]])
    fans = np.column_stack([ends[:, ::-1], centres])
    return matrix, np.concatenate([triangles, fans]).astype(np.int32)


def smooth(
    triangles: np.ndarray, values: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Smooths values over a surface.

    Minimises `weight * change^2 + smoothing * laplacian^2`. Where the weight is 0, the
    values are therefore interpolated from their surroundings.

    Args:
      triangles: [triangles, 3] vertex indices.
      values: [vertices, ...] values to smooth.
      weights: [vertices] weights in [0, 1] of the present values.

    Returns:
      [vertices, ...] float32 smoothed values.
    """
    count = len(values)
    ends = triangles.ravel(), np.roll(triangles, 1, 1).ravel()
    links = scipy.sparse.coo_array((np.ones(triangles.size), ends), (count, count))
    links = ((links + links.T) > 0).astype(np.float64).tocsr()
    inverse_degree = scipy.sparse.diags_array(1.0 / np.maximum(links.sum(1), 1.0))
    laplacian = scipy.sparse.eye_array(count) - inverse_degree @ links
    fidelity = scipy.sparse.diags_array(weights + 1e-6)
    system = (fidelity + _SMOOTHING * laplacian.T @ laplacian).tocsc()
    flat = values.reshape(count, -1).astype(np.float64)
    smoothed = scipy.sparse.linalg.splu(system).solve(fidelity @ flat)
    return smoothed.reshape(values.shape).astype(np.float32)
