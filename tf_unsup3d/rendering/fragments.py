"""The list of what the pixels of pictures see."""

from typing import NamedTuple

import tensorflow as tf


class Fragments(NamedTuple):
    """What the pixels of a batch of pictures see, by ascending pixel.

    Within a pixel the fragments stand in the order of its layers, from the outer end of
    the soft layer to the sharp one; a fragment that is seen in several layers stands
    there as often. Barycentric coordinates, depth and weight are differentiable with
    respect to the vertices, once.

    Attributes:
      pixels: `[N]` int64, flat indices into `[batch, height, width]`.
      triangles: `[N]` int32, the triangle that the fragment is a point of.
      barycentric: `[N, 3]`, the place of the point on the triangle, in space: what is
        interpolated with them is perspective-correct.
      depth: `[N]`, the depth of the point.
      weight: `[N]`, the part of the pixel that shows the fragment, positive. The
        weights of a pixel sum to its mask; the rest of it shows the background.
      triangle_ids: `[batch, height, width]` int32, the triangle of the sharp layer at
        each pixel centre, or -1 for the background.
    """

    pixels: tf.Tensor
    triangles: tf.Tensor
    barycentric: tf.Tensor
    depth: tf.Tensor
    weight: tf.Tensor
    triangle_ids: tf.Tensor

    @property
    def pictures(self) -> tf.Tensor:
        """`[N]` int32, the picture of the batch that each fragment belongs to."""
        size = tf.shape(self.triangle_ids, tf.int64)
        return tf.cast(self.pixels // (size[1] * size[2]), tf.int32)

    def in_order(self) -> "Fragments":
        """Sorts fragments by pixel; within a pixel they keep their order."""
        order = tf.argsort(self.pixels, stable=True)
        lists = [tf.gather(values, order) for values in self[:-1]]
        return Fragments._make([*lists, self.triangle_ids])
