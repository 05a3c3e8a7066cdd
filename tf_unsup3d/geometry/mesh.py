"""Triangle meshes: which vertices the triangles join, and where the texture lies."""

import dataclasses

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike, DTypeLike


@dataclasses.dataclass(frozen=True, eq=False, init=False)
class Mesh:
    """The topology of a triangle mesh and its texture layout, without its geometry.

    The positions of the vertices are tensors of their own, so that a batch of surfaces
    shares one mesh.

    Orientation: the front of a triangle with the corners a, b and c is the side that
    its normal (b - a) x (c - a) points to, which for a closed surface is the outside.
    Seen from the front, the corners follow one another counter-clockwise. In a picture,
    where y points down, a front-facing triangle thus has a negative signed area,
    (b - a) x (c - a) / 2.

    Arrays, and whatever NumPy converts to arrays, are checked, copied and protected
    against changes. Tensors are kept as they are and not checked here but by the ops
    that draw the mesh. They serve for topology that is an input of a graph, and for
    texture coordinates that are differentiated or double precision.

    Attributes:
      triangles: `[triangles, 3]` int32, the vertices at the corners of each triangle.
      uv: `[uvs, 2]` float32, texture coordinates in [0, 1] with the origin at the top
        left of the texture, or None for a mesh without a texture layout.
      uv_triangles: `[triangles, 3]` int32, the texture coordinates at the corners of
        each triangle, as indices into `uv`. The default is `triangles`: one for each
        vertex.
      neighbors: `[triangles, 3]` int32, the triangle across the edge opposite to each
        corner, or -1 where the mesh is open. By default they are found, which takes
        triangles whose values are known.

    Raises:
      ValueError: A field has the wrong shape or type, an index is out of range, or the
        neighbors cannot be found; the message names the field.
    """

    triangles: np.ndarray | tf.Tensor
    uv: np.ndarray | tf.Tensor | None
    uv_triangles: np.ndarray | tf.Tensor | None
    neighbors: np.ndarray | tf.Tensor

    # Written out, because less may be given than the fields then hold.
    def __init__(
        self,
        triangles: ArrayLike | tf.Tensor,
        uv: ArrayLike | tf.Tensor | None = None,
        uv_triangles: ArrayLike | tf.Tensor | None = None,
        neighbors: ArrayLike | tf.Tensor | None = None,
    ):
        triangles = _indices("triangles", triangles)
        count = _known_length(triangles)
        if neighbors is None:
            neighbors = _find_neighbors(triangles)
        neighbors = _indices("neighbors", neighbors, rows=count, lowest=-1, bound=count)
        if uv is not None:
            uv = _coordinates("uv", uv)
            uv_triangles = _indices(
                "uv_triangles",
                triangles if uv_triangles is None else uv_triangles,
                rows=count,
                bound=_known_length(uv),
            )
        elif uv_triangles is not None:
            raise ValueError("uv_triangles index uv, which is missing")
        self._set(
            triangles=triangles, uv=uv, uv_triangles=uv_triangles, neighbors=neighbors
        )

    def _set(self, **values: np.ndarray | tf.Tensor | None) -> None:
        """Sets fields, which the constructor alone may do."""
        for name, value in values.items():
            object.__setattr__(self, name, value)


def triangle_neighbors(triangles: np.ndarray) -> np.ndarray:
    """Finds the triangle across each edge.

    Args:
      triangles: `[triangles, 3]` integer vertex indices.

    Returns:
      `[triangles, 3]` int32: entry k of a row is the triangle that shares the edge
      opposite to corner k, or -1 where the mesh is open.

    Raises:
      ValueError: More than two triangles share an edge.
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


def _find_neighbors(triangles: np.ndarray | tf.Tensor) -> np.ndarray:
    known = tf.get_static_value(triangles) if tf.is_tensor(triangles) else triangles
    if known is None:
        raise ValueError(
            "neighbors must be given where the values of triangles are not known"
        )
    try:
        return triangle_neighbors(known)
    except ValueError as error:
        raise ValueError(
            f"triangles without neighbors: {error}; leave out all but two, or give "
            "neighbors, with -1 across such edges"
        ) from None


def _known_length(value: np.ndarray | tf.Tensor) -> int | None:
    """The number of rows of an array; None for a tensor, which the ops check."""
    return len(value) if isinstance(value, np.ndarray) else None


def _protected_copy(array: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    copy = np.array(array, dtype)
    copy.setflags(write=False)
    return copy


def _indices(
    name: str,
    value: ArrayLike | tf.Tensor,
    *,
    rows: int | None = None,
    lowest: int = 0,
    bound: int | None = None,
) -> np.ndarray | tf.Tensor:
    """A field of indices, checked if it is an array.

    Args:
      name: Name of the field, for messages.
      value: The field as it was given.
      rows: Number of rows that it must have, if known.
      lowest: Smallest index allowed.
      bound: Number that all indices must be below, if known.

    Returns:
      The field: `[triangles, 3]` int32, or a tensor as it was given.
    """
    if tf.is_tensor(value):
        return value
    array = np.asarray(value)
    if array.ndim != 2 or array.shape[1] != 3:
        raise ValueError(f"{name} must be [triangles, 3], got {list(array.shape)}")
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} must be integers, got {array.dtype}")
    if rows is not None and len(array) != rows:
        raise ValueError(
            f"{name} must have a row for each of {rows} triangles, got {len(array)}"
        )
    bound = np.iinfo(np.int32).max + 1 if bound is None else bound
    for row, corner in np.argwhere((array < lowest) | (array >= bound))[:1]:
        raise ValueError(
            f"{name}[{row}, {corner}] is {array[row, corner]}, not from {lowest} to"
            f" {bound - 1}"
        )
    return _protected_copy(array, np.int32)


def _coordinates(name: str, value: ArrayLike | tf.Tensor) -> np.ndarray | tf.Tensor:
    """A field of texture coordinates, checked if it is an array."""
    if tf.is_tensor(value):
        return value
    array = np.asarray(value)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name} must be [uvs, 2], got {list(array.shape)}")
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name} must be real numbers, got {array.dtype}")
    array = _protected_copy(array, np.float32)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite")
    return array
