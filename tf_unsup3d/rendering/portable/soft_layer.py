"""The soft layer: silhouette edges, and their fragments at the pixels within reach."""

from typing import NamedTuple

import tensorflow as tf

from tf_unsup3d.rendering.portable.candidates import PictureSize, find_candidates
from tf_unsup3d.rendering.portable.geometry import (
    clip_edges,
    nearest_on_edges,
    point,
    triangle_volume,
)


class SoftFragments(NamedTuple):
    """Points of silhouette edges, each the nearest to its pixel centre on its edge.

    Attributes:
      pixels: `[n]` int32, flat index into `[batch, height, width]`.
      edges: `[n]` int32, three times the triangle plus the corner opposite to the edge.
      extent: `[n]`, the distance from the pixel centre as a part of the margin.
      depth: `[n]`, of the point.
      parameter: `[n]`, where the point is on the edge, from 0 to 1.
    """

    pixels: tf.Tensor
    edges: tf.Tensor
    extent: tf.Tensor
    depth: tf.Tensor
    parameter: tf.Tensor

    def barycentric(self) -> tf.Tensor:
        """`[n, 3]`, the place of the points on their triangles."""
        opposite = (self.edges % 3)[:, None]
        parameter = self.parameter[:, None]
        corner = tf.range(3)
        second = tf.where(corner == (opposite + 2) % 3, parameter, 0.0)
        return tf.where(corner == (opposite + 1) % 3, 1.0 - parameter, second)


def find_silhouettes(
    corners: tf.Tensor, side: tf.Tensor, across: tf.Tensor, cull_backfaces: bool
) -> tf.Tensor:
    """Finds the edges that own soft fragments; not differentiable.

    Args:
      corners: `[n, 3, 3]`, the corners of all triangles of the batch.
      side: `[n]` int32; see `facing`.
      across: `[n, 3]` int32, the triangle across each edge, or n where there is none.
      cull_backfaces: Whether back-facing triangles are left out, so that there are no
        folds.

    Returns:
      `[m]` int32, three times the triangle plus the corner opposite to the edge,
      ascending.
    """
    side_across = tf.gather(tf.pad(side, [[0, 1]]), across)
    own = side[:, None]
    border = tf.where((own != 0) & (side_across == 0))
    if cull_backfaces:
        return tf.cast(3 * border[:, 0] + border[:, 1], tf.int32)
    # A fold belongs to the triangle in front, which hides the other: that lies beyond
    # its plane. Of two parallel ones it is the one that shows its back.
    fold = tf.where(own * side_across < 0)
    is_front = tf.gather(side, fold[:, 0]) > 0
    pair = [
        tf.gather(corners, index) for index in (fold[:, 0], tf.gather_nd(across, fold))
    ]
    either = is_front[:, None, None]
    front = point(tf.where(either, pair[0], pair[1]))
    back = tf.where(either, pair[1], pair[0])
    volumes = [triangle_volume(front, point(back[:, k])) for k in range(3)]
    owned = tf.boolean_mask(fold, (tf.add_n(volumes) < 0.0) == is_front)
    edges = tf.concat([border, owned], 0)
    return tf.sort(tf.cast(3 * edges[:, 0] + edges[:, 1], tf.int32))


def edge_ends(corners: tf.Tensor, edges: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Gathers the ends of edges.

    Args:
      corners: `[n, 3, 3]`, the corners of all triangles of the batch.
      edges: `[m]` int32; see `find_silhouettes`.

    Returns:
      `[m, 3]`, the first end, and the second.
    """
    rows = tf.reshape(corners, [-1, 3])
    triangle, opposite = edges // 3, edges % 3
    first, second = (3 * triangle + (opposite + step) % 3 for step in (1, 2))
    return tf.gather(rows, first), tf.gather(rows, second)


def soft_fragments(
    pixels: tf.Tensor,
    edges: tf.Tensor,
    first: tf.Tensor,
    second: tf.Tensor,
    size: PictureSize,
    margin: float,
) -> SoftFragments:
    """Computes the fragments of edges at pixels; differentiable.

    Args:
      pixels: `[n]` int32.
      edges: `[n]` int32.
      first: `[n, 3]`, the first end of each edge.
      second: `[n, 3]`, the second end.
      size: The size of the pictures.
      margin: Width of the soft layer in pixels.

    Returns:
      The fragments. An extent of 1 or more means that the edge does not reach the
      pixel.
    """
    near, far, start, end = clip_edges(point(first), point(second))
    distance, depth, fraction = nearest_on_edges(size.place(pixels), near, far)
    parameter = (1.0 - fraction) * start + fraction * end
    return SoftFragments(pixels, edges, distance / margin, depth, parameter)


def find_soft_fragments(
    corners: tf.Tensor,
    edges: tf.Tensor,
    pictures: tf.Tensor,
    size: PictureSize,
    sharp_depth: tf.Tensor,
    margin: float,
    depth_push: float,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the fragments that the sharp surface does not hide; not differentiable.

    Args:
      corners: `[n, 3, 3]`, the corners of all triangles of the batch.
      edges: `[m]` int32; see `find_silhouettes`.
      pictures: `[n]` int32, the picture of the batch that a triangle belongs to.
      size: The size of the pictures.
      sharp_depth: `[pixels]`, or the largest float64 where there is no surface.
      margin: Width of the soft layer in pixels.
      depth_push: Part of its depth by which a fragment recedes over the margin.

    Returns:
      pixels: `[fragments]` int32.
      edges: `[fragments]` int32, ascending.
    """
    first, second = edge_ends(corners, edges)
    found = find_candidates(
        point(first[:, None]),
        point(second[:, None]),
        tf.gather(pictures, edges // 3),
        size,
        margin,
    )
    fragments = soft_fragments(
        found.pixels,
        tf.gather(edges, found.items),
        tf.gather(first, found.items),
        tf.gather(second, found.items),
        size,
        margin,
    )
    # A fragment is nearest at v = 1: if it is hidden there, it is hidden at every v.
    nearest = fragments.depth * (1.0 + depth_push * fragments.extent)
    seen = nearest < tf.gather(sharp_depth, fragments.pixels)
    kept = tf.where(seen & (fragments.extent < 1.0))[:, 0]
    return tf.gather(fragments.pixels, kept), tf.gather(fragments.edges, kept)
