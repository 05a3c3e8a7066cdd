"""Edges of triangle meshes."""

import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.mesh import triangle_neighbors
from tf_unsup3d.geometry.rows import from_rows, gather_columns, to_rows


def mesh_edges(triangles: np.ndarray) -> np.ndarray:
    """Lists every edge once.

    Args:
      triangles: `[triangles, 3]` integer vertex indices.

    Returns:
      `[edges, 2]` vertex indices.
    """
    triangles = np.asarray(triangles)
    pairs = np.concatenate(
        [triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]
    )
    return np.unique(np.sort(pairs, -1), axis=0)


def boundary_edges(triangles: np.ndarray) -> np.ndarray:
    """Lists the edges that have a triangle on one side only.

    Args:
      triangles: `[triangles, 3]` integer vertex indices.

    Returns:
      `[edges, 2]` vertex indices, in the direction in which the triangle runs along
      the edge.
    """
    triangles = np.asarray(triangles)
    rows, corners = np.nonzero(triangle_neighbors(triangles) < 0)
    return np.stack(
        [triangles[rows, (corners + 1) % 3], triangles[rows, (corners + 2) % 3]], -1
    )


def edge_differences(values: tf.Tensor, edges: np.ndarray) -> tf.Tensor:
    """Computes what changes along every edge.

    Args:
      values: `[batch, vertices, 3]` floating point.
      edges: `[edges, 2]` vertex indices, known beforehand; see `mesh_edges`.

    Returns:
      `[batch, edges, 3]`, the value at the second vertex minus that at the first.
    """
    first, second = gather_columns(to_rows(values), edges)
    return from_rows(second - first)
