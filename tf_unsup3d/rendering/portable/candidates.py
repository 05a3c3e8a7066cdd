"""Candidates: the pixels that a triangle or an edge may reach."""

from typing import NamedTuple

import tensorflow as tf

from tf_unsup3d.rendering.portable.geometry import NEAR_DEPTH, Point, clip_edges

# So that rounding does not lose a pixel.
_SLACK = 1e-3


class PictureSize(NamedTuple):
    """Height and width of the pictures in pixels, `[]` int32 each."""

    height: tf.Tensor
    width: tf.Tensor

    def place(self, pixels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The (x, y) of pixel centres, `[n]` float64, of flat indices of pixels."""
        row = pixels // self.width
        column = pixels - row * self.width
        row %= self.height
        return tuple(tf.cast(index, tf.float64) + 0.5 for index in (column, row))


class Candidates(NamedTuple):
    """Pairs of an item, a triangle or an edge, and a pixel, by ascending item.

    Attributes:
      items: `[n]` int32, index of the item.
      pixels: `[n]` int32, flat index into `[batch, height, width]`.
    """

    items: tf.Tensor
    pixels: tf.Tensor


class Boxes(NamedTuple):
    """Rectangles of pixels, `[n]` int32 each: the first, and behind the last."""

    left: tf.Tensor
    right: tf.Tensor
    top: tf.Tensor
    bottom: tf.Tensor

    def pixel_counts(self) -> tf.Tensor:
        """`[n]` int32, the number of pixels in each."""
        columns, rows = self.right - self.left, self.bottom - self.top
        return tf.maximum(columns, 0) * tf.maximum(rows, 0)


def find_boxes(first: Point, second: Point, size: PictureSize, reach: float) -> Boxes:
    """Finds the pixels near the bounds of the visible parts of items.

    Args:
      first: First ends of the edges of each item, `[edges, n]` each.
      second: Second ends.
      size: The size of the pictures, or `[n]` each, of the picture of each item.
      reach: Distance from the bounds in pixels within which pixel centres count.

    Returns:
      The pixels of each item.
    """
    visible = tf.maximum(first[2], second[2]) > NEAR_DEPTH
    ends = clip_edges(first, second)[:2]
    columns = _bounds([x / z for x, _, z in ends], visible, reach, size.width)
    rows = _bounds([y / z for _, y, z in ends], visible, reach, size.height)
    return Boxes(*columns, *rows)


def find_candidates(
    first: Point,
    second: Point,
    pictures: tf.Tensor,
    size: PictureSize,
    reach: float,
) -> Candidates:
    """Pairs items with the pixels near the bounds of their visible parts.

    Args:
      first: First ends of the edges of each item, `[edges, n]` each.
      second: Second ends.
      pictures: `[n]` int32, the picture of the batch that the item belongs to.
      size: The size of the pictures.
      reach: Distance from the bounds in pixels within which pixel centres count.

    Returns:
      The candidates.
    """
    boxes = find_boxes(first, second, size, reach)
    counts = boxes.pixel_counts()
    found = tf.where(counts > 0)[:, 0]
    counts, left, right, top, pictures = (
        tf.gather(values, found)
        for values in (counts, boxes.left, boxes.right, boxes.top, pictures)
    )
    # Counts from 0 for each item.
    index = tf.raw_ops.RaggedRange(
        starts=tf.zeros_like(counts), limits=counts, deltas=1, Tsplits=tf.int32
    ).rt_dense_values
    owner = tf.cumsum(tf.cast(index == 0, tf.int32)) - 1
    corner = (pictures * size.height + top) * size.width + left
    columns = tf.gather(right - left, owner)
    row = index // columns
    pixels = tf.gather(corner, owner) + row * size.width + (index - row * columns)
    return Candidates(tf.gather(tf.cast(found, tf.int32), owner), pixels)


def _bounds(
    ends: list[tf.Tensor], visible: tf.Tensor, reach: float, size: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The range of pixels, first and behind the last, between values `[edges, n]`."""
    limit = tf.cast(size, tf.float64)
    low = tf.reduce_min(tf.where(visible, tf.minimum(*ends), float("inf")), 0)
    high = tf.reduce_max(tf.where(visible, tf.maximum(*ends), float("-inf")), 0)
    low, high = low - (0.5 + reach + _SLACK), high - (0.5 - reach - _SLACK)
    # In this form what is not a number counts as everywhere.
    low = tf.where(low > 0.0, tf.minimum(low, limit), 0.0)
    high = tf.where(high < limit - 1.0, tf.maximum(high, -1.0), limit - 1.0)
    return tf.cast(tf.math.ceil(low), tf.int32), tf.cast(tf.floor(high), tf.int32) + 1


def segment_first(
    values: tf.Tensor, wanted: tf.Tensor, segments: tf.Tensor, count: tf.Tensor
) -> tf.Tensor:
    """Finds the first element of each segment that has the wanted value.

    Args:
      values: `[n]`.
      wanted: `[count]`, a value for each segment.
      segments: `[n]` int32, the segment of each element.
      count: Number of segments.

    Returns:
      `[count]` int32, the index of the element; n or more where there is none.
    """
    total = tf.size(values)
    has_it = values == tf.gather(wanted, segments)
    index = tf.where(has_it, tf.range(total), total)
    return tf.math.unsorted_segment_min(index, segments, count)
