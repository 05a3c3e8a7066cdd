"""From a mesh to the fragments of its pictures."""

from typing import NamedTuple

import tensorflow as tf

from tf_unsup3d.rendering.fragments import Fragments
from tf_unsup3d.rendering.portable.candidates import PictureSize
from tf_unsup3d.rendering.portable.checks import (
    check_finite,
    check_options,
    check_picture_size,
)
from tf_unsup3d.rendering.portable.geometry import facing, point, surface_points
from tf_unsup3d.rendering.portable.pixel_layers import find_layers, layer_weights
from tf_unsup3d.rendering.portable.sharp_layer import find_sharp_layer
from tf_unsup3d.rendering.portable.soft_layer import (
    SoftFragments,
    edge_ends,
    find_silhouettes,
    find_soft_fragments,
    soft_fragments,
)


class _Points(NamedTuple):
    """What pixels see of surfaces, in double precision.

    Attributes:
      pixels: `[n]` int32, flat index into `[batch, height, width]`.
      triangles: `[n]` int32, index into the triangles of the whole batch.
      barycentric: `[n, 3]`.
      depth: `[n]`.
      weight: `[n]`, the part of the pixel that shows the point.
    """

    pixels: tf.Tensor
    triangles: tf.Tensor
    barycentric: tf.Tensor
    depth: tf.Tensor
    weight: tf.Tensor

    def select(self, indices: tf.Tensor) -> "_Points":
        return _Points(*(tf.gather(values, indices) for values in self))


def list_fragments(
    vertices: tf.Tensor,
    triangles: tf.Tensor,
    neighbors: tf.Tensor,
    height: int | tf.Tensor,
    width: int | tf.Tensor,
    margin: float,
    depth_push: float,
    cull_backfaces: bool,
) -> Fragments:
    """Lists the fragments of `rasterize_mesh`, whose arguments it has.

    Unlike the op it leaves the check of indices to `tf.gather`, which on a GPU has
    none.

    Args:
      vertices: `[batch, vertices, 3]` float32 or float64.
      triangles: `[triangles, 3]` int32.
      neighbors: `[triangles, 3]` int32.
      height: Height of the pictures in pixels.
      width: Width of the pictures in pixels.
      margin: Width of the soft layer in pixels.
      depth_push: Part of its depth by which the soft layer recedes over the margin.
      cull_backfaces: Whether back-facing triangles are left out.

    Returns:
      The fragments; in no order, unlike those of the op.

    Raises:
      tf.errors.InvalidArgumentError: Another input is wrong.
    """
    check_options(margin, depth_push)
    check_picture_size(height, width)
    vertices = check_finite(vertices)
    size = PictureSize(tf.cast(height, tf.int32), tf.cast(width, tf.int32))
    batch, count = tf.shape(vertices)[0], tf.shape(triangles)[0]
    corners = tf.gather(tf.cast(vertices, tf.float64), triangles, axis=1)
    # From here on the triangles of all pictures are one list.
    corners = tf.reshape(corners, [batch * count, 3, 3])
    pictures = tf.range(batch * count) // count
    fixed = tf.stop_gradient(corners)
    side = facing(point(fixed), cull_backfaces)
    shape = tf.stack([batch, *size])
    ids, depths = find_sharp_layer(
        fixed, side != 0, pictures, size, tf.reduce_prod(shape)
    )
    points = _sharp_points(corners, ids, size)
    if margin > 0.0:
        first = count * tf.range(batch)[:, None, None]
        across = tf.where(neighbors < 0, batch * count, neighbors + first)
        edges = find_silhouettes(
            fixed, side, tf.reshape(across, [batch * count, 3]), cull_backfaces
        )
        pixels, edges = find_soft_fragments(
            fixed, edges, pictures, size, depths, margin, depth_push
        )
        fragments = soft_fragments(
            pixels, edges, *edge_ends(corners, edges), size, margin
        )
        points = _compose(fragments, points, depths, depth_push)
    dtype = vertices.dtype
    return Fragments(
        tf.cast(points.pixels, tf.int64),
        points.triangles % count,
        tf.cast(points.barycentric, dtype),
        tf.cast(points.depth, dtype),
        tf.cast(points.weight, dtype),
        tf.reshape(tf.where(ids < 0, -1, ids % tf.maximum(count, 1)), shape),
    )


def _sharp_points(corners: tf.Tensor, ids: tf.Tensor, size: PictureSize) -> _Points:
    """The points of the sharp layer, whose triangles are `ids` `[pixels]`."""
    pixels = tf.cast(tf.where(ids >= 0)[:, 0], tf.int32)
    triangles = tf.gather(ids, pixels)
    barycentric, depth, _ = surface_points(
        size.place(pixels), point(tf.gather(corners, triangles))
    )
    weight = tf.ones_like(depth)
    return _Points(pixels, triangles, tf.transpose(barycentric), depth, weight)


def _compose(
    fragments: SoftFragments, sharp: _Points, depths: tf.Tensor, depth_push: float
) -> _Points:
    """The points of all layers, in each pixel from v = 1 down to 0.

    Args:
      fragments: The soft fragments that are not hidden.
      sharp: The points of the sharp layer, of weight 1.
      depths: `[pixels]`, the depth of the sharp layer; see `find_sharp_layer`.
      depth_push: Part of its depth by which a fragment recedes over the margin.
    """
    pixels, own = tf.unique(fragments.pixels)
    layers = find_layers(
        own,
        tf.stop_gradient(fragments.extent),
        tf.stop_gradient(fragments.depth),
        tf.gather(depths, pixels),
        depth_push,
    )
    # The same depths, but differentiable, and 0 where there is no surface.
    depths = tf.scatter_nd(sharp.pixels[:, None], sharp.depth, tf.shape(depths))
    weight, rest = layer_weights(
        layers,
        own,
        fragments.extent,
        fragments.depth,
        tf.gather(depths, pixels),
        depth_push,
    )
    shown = tf.where(weight > 0.0)[:, 0]
    soft = _Points(
        fragments.pixels,
        fragments.edges // 3,
        fragments.barycentric(),
        fragments.depth,
        tf.zeros_like(fragments.depth),
    ).select(tf.gather(layers.shown, shown))
    soft = soft._replace(weight=tf.gather(weight, shown))
    weight = tf.tensor_scatter_nd_update(tf.ones_like(depths), pixels[:, None], rest)
    sharp = sharp._replace(weight=tf.gather(weight, sharp.pixels))
    sharp = sharp.select(tf.where(sharp.weight > 0.0)[:, 0])
    return _Points(*(tf.concat(pair, 0) for pair in zip(soft, sharp, strict=True)))
