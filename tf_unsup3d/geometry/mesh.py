"""Triangle meshes: adjacency and normals."""

import numpy as np
import tensorflow as tf


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


def mesh_edges(triangles: np.ndarray) -> np.ndarray:
    """Every edge once.

    Args:
      triangles: [triangles, 3] integer vertex indices.

    Returns:
      [edges, 2] vertex indices.
    """
    triangles = np.asarray(triangles)
    pairs = np.concatenate(
        [triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]
    )
    return np.unique(np.sort(pairs, -1), axis=0)


def edge_differences(values: tf.Tensor, edges: np.ndarray) -> tf.Tensor:
    """What changes along every edge.

    Args:
      values: [batch, vertices, 3] floating point.
      edges: [edges, 2] vertex indices, known beforehand; see `mesh_edges`.

    Returns:
      [batch, edges, 3] of the second vertex minus the first.
    """
    first, second = _gather(_to_rows(values), edges)
    return _from_rows(second - first)


def triangle_normals(vertices: tf.Tensor, triangles: np.ndarray) -> tf.Tensor:
    """Normals that are twice as long as their triangle is large.

    Args:
      vertices: [batch, vertices, 3] floating point.
      triangles: [triangles, 3] integer vertex indices, known beforehand.

    Returns:
      [batch, triangles, 3], (b - a) x (c - a): outward by the right-hand rule.
    """
    return _from_rows(_triangle_normals(_to_rows(vertices), triangles))


def vertex_normals(vertices: tf.Tensor, triangles: np.ndarray) -> tf.Tensor:
    """Outward unit normals, the mean of the adjacent triangles weighted by area.

    Args:
      vertices: [batch, vertices, 3] floating point.
      triangles: [triangles, 3] integer vertex indices, known beforehand.

    Returns:
      [batch, vertices, 3].
    """
    rows = _to_rows(vertices)
    normals = _triangle_normals(rows, triangles)
    count = tf.shape(rows)[0]
    sums = [
        tf.math.unsorted_segment_sum(normals, corner, count)
        for corner in np.transpose(triangles)
    ]
    return tf.math.l2_normalize(_from_rows(tf.add_n(sums)), -1)


# Inside, values are [items, 3, batch]: what belongs to an item is moved as one long
# row, and coordinates are arrays of their own. In [batch, items, 3], gathering, adding
# up and tf.linalg.cross take half as long again, gradients included.


def _to_rows(values):
    return tf.transpose(values, [1, 2, 0])


def _from_rows(rows):
    return tf.transpose(rows, [2, 0, 1])


def _gather(rows, indices):
    """The rows of each column of indices [items, columns]."""
    return tf.unstack(tf.gather(rows, np.transpose(indices)))


def _triangle_normals(rows, triangles):
    a, b, c = _gather(rows, triangles)
    u, v, w = tf.unstack(b - a, axis=1)
    x, y, z = tf.unstack(c - a, axis=1)
    return tf.stack([v * z - w * y, w * x - u * z, u * y - v * x], 1)
