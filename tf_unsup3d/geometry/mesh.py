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
    first, second = edges.T
    rows, ones = np.arange(len(first)), np.ones(len(first))
    counts = len(first), values.shape[1]
    along = tf.transpose(values, [1, 0, 2])
    differences = _multiply([rows, rows], [second, first], [ones, -ones], counts, along)
    return tf.transpose(differences, [1, 0, 2])


def vertex_normals(vertices: tf.Tensor, triangles: np.ndarray) -> tf.Tensor:
    """Outward unit normals, the mean of the adjacent triangles weighted by area.

    Args:
      vertices: [batch, vertices, 3] floating point.
      triangles: [triangles, 3] integer vertex indices, known beforehand.

    Returns:
      [batch, vertices, 3].
    """
    # Products with sparse matrices: gathering corners and scattering what belongs to
    # them, and doing both again for the gradient, takes more than twice as long.
    triangles = np.asarray(triangles)
    counts = len(triangles), vertices.shape[1]
    rows = np.arange(len(triangles))
    ones = np.ones(len(triangles))
    a, b, c = triangles.T
    along = tf.transpose(vertices, [1, 0, 2])
    edges = (
        _multiply([rows, rows], [end, a], [ones, -ones], counts, along)
        for end in (b, c)
    )
    # The right-hand rule's (b - a) x (c - a), twice as long as the triangle is large.
    normals = tf.linalg.cross(*edges)
    sums = _multiply([a, b, c], [rows] * 3, [ones] * 3, counts[::-1], normals)
    return tf.math.l2_normalize(tf.transpose(sums, [1, 0, 2]), -1)


def _multiply(rows, columns, values, shape, dense: tf.Tensor) -> tf.Tensor:
    """The product of a sparse matrix [m, n] with dense [n, batch, 3]."""
    indices = np.stack([np.concatenate(rows), np.concatenate(columns)], -1)
    order = np.lexsort(indices.T[::-1])
    sparse = tf.SparseTensor(
        indices[order].astype(np.int64),
        tf.constant(np.concatenate(values)[order], dense.dtype),
        shape,
    )
    size = tf.shape(dense)
    flat = tf.reshape(dense, [shape[1], size[1] * 3])
    product = tf.sparse.sparse_dense_matmul(sparse, flat)
    return tf.reshape(product, [shape[0], size[1], 3])
