"""How pictures are framed."""

from typing import NamedTuple

import tensorflow as tf


class Framing(NamedTuple):
    """How far pictures are moved and enlarged, as by other crops of photographs.

    Attributes:
      shift: `[batch, 2]` float32. Everything in the picture is moved so far (right,
        down), in parts of its width.
      scale: `[batch]` float32, positive. Everything is enlarged so much about the
        middle of the picture, before it is moved.
    """

    shift: tf.Tensor
    scale: tf.Tensor

    def move_pixels(self, pixels: tf.Tensor, resolution: int) -> tf.Tensor:
        """Moves points in pictures.

        Args:
          pixels: `[batch, points, 3]` homogeneous pixel coordinates (x z, y z, z).
          resolution: Height and width of the pictures in pixels.

        Returns:
          `[batch, points, 3]`.
        """
        scale = self.scale[:, None, None]
        middle = 0.5 + self.shift[:, None, :] - 0.5 * scale
        depth = pixels[..., 2:]
        moved = scale * pixels[..., :2] + resolution * middle * depth
        return tf.concat([moved, depth], -1)

    def move_crops(
        self, corners: tf.Tensor, size: float
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Moves crops of backdrops; they stay within the backdrop.

        Args:
          corners: `[batch, 2]`, the left and the upper border of square crops, in parts
            of the backdrop.
          size: Width of the crops in parts of the backdrop.

        Returns:
          The corners `[batch, 2]` and the widths `[batch, 1]` of the crops that show
          what they are moved to.
        """
        sizes = tf.minimum(size / self.scale, 1.0)[:, None]
        middle = corners + 0.5 * size - self.shift * sizes
        return tf.clip_by_value(middle - 0.5 * sizes, 0.0, 1.0 - sizes), sizes
