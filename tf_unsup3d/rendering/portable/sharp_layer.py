"""The sharp layer: the nearest triangle at each pixel centre."""

import tensorflow as tf

from tf_unsup3d.rendering.portable.candidates import (
    PictureSize,
    find_candidates,
    segment_first,
)
from tf_unsup3d.rendering.portable.geometry import after, point, surface_points


def find_sharp_layer(
    corners: tf.Tensor,
    drawn: tf.Tensor,
    pictures: tf.Tensor,
    size: PictureSize,
    pixel_count: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the nearest drawn triangle at each pixel; not differentiable.

    Args:
      corners: `[n, 3, 3]`, the corners of all triangles of the batch.
      drawn: `[n]`, whether a triangle is drawn.
      pictures: `[n]` int32, the picture of the batch that a triangle belongs to.
      size: The size of the pictures.
      pixel_count: Number of pixels of the batch.

    Returns:
      triangles: `[pixels]` int32, or -1 where there is none.
      depth: `[pixels]`, or the largest float64 where there is none.
    """
    indices = tf.cast(tf.where(drawn)[:, 0], tf.int32)
    corners = tf.gather(corners, indices)
    first = point(corners)
    x, y, z = (after(values, 1) for values in first)
    pictures = tf.gather(pictures, indices)
    found = find_candidates(first, (x, y, z), pictures, size, 0.0)
    _, depth, covered = surface_points(
        size.place(found.pixels), point(tf.gather(corners, found.items))
    )
    hits = tf.where(covered)[:, 0]
    depth, pixels = tf.gather(depth, hits), tf.gather(found.pixels, hits)
    nearest = tf.math.unsorted_segment_min(depth, pixels, pixel_count)
    first_hit = segment_first(depth, nearest, pixels, pixel_count)
    # One more, for pixels without any.
    triangles = tf.gather(indices, tf.gather(found.items, hits))
    triangles = tf.pad(triangles, [[0, 1]], constant_values=-1)
    return tf.gather(triangles, tf.minimum(first_hit, tf.size(hits))), nearest
