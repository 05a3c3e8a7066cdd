"""Triangle meshes: adjacency and normals."""

import numpy as np
import tensorflow as tf
from tensorflow_graphics.geometry.representation.mesh import normals as tfg_normals


def triangle_neighbors(triangles: np.ndarray) -> np.ndarray:
    """The triangle across each edge.

    Args:
      triangles: [triangles, 3] integer vertex indices.

    Returns:
      [triangles, 3] int32: entry k of a row is the triangle that shares the edge
      opposite to corner k, or -1 where the mesh is open.

    Raises:
      ValueError: if more than two triangles share an edge.
    """
    triangles = np.asarray(triangles)
    edges = np.stack([triangles[:, [1, 2]], triangles[:, [2, 0]], triangles[:, [0, 1]]])
    edges = np.sort(edges.transpose(1, 0, 2).reshape(-1, 2), axis=-1)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    ordered = edges[order]
    same = np.all(ordered[1:] == ordered[:-1], axis=-1)
    if np.any(same[1:] & same[:-1]):
        edge = ordered[:-2][same[1:] & same[:-1]][0]
        raise ValueError(f"edge {tuple(edge.tolist())} has more than two triangles")
    neighbors = np.full(len(edges), -1, np.int32)
    first, second = order[:-1][same], order[1:][same]
    neighbors[first], neighbors[second] = second // 3, first // 3
    return neighbors.reshape(-1, 3)


def boundary_edges(triangles: np.ndarray) -> np.ndarray:
    """Edges with a triangle on one side only.

    Args:
      triangles: [triangles, 3] integer vertex indices.

    Returns:
      [edges, 2] in the direction in which their triangle runs along them.
    """
    triangles = np.asarray(triangles)
    rows, corners = np.nonzero(triangle_neighbors(triangles) < 0)
    return np.stack(
        [triangles[rows, (corners + 1) % 3], triangles[rows, (corners + 2) % 3]], -1
    )


def vertex_normals(vertices: tf.Tensor, triangles: np.ndarray) -> tf.Tensor:
    """Outward unit normals, the mean of the adjacent triangles weighted by area.

    Args:
      vertices: [batch, vertices, 3] floating point.
      triangles: [triangles, 3] integer vertex indices.

    Returns:
      [batch, vertices, 3].
    """
    indices = tf.convert_to_tensor(triangles, tf.int32)
    indices = tf.tile(indices[None], [tf.shape(vertices)[0], 1, 1])
    # Their "clockwise" is the right-hand rule's (b - a) x (c - a).
    return tfg_normals.vertex_normals(vertices, indices, clockwise=True)
