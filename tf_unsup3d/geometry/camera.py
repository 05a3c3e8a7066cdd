"""The fixed pinhole camera."""

import dataclasses
import math

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class PinholeCamera:
    """A camera on the negative z axis that looks at the origin.

    The unit ball just fits the shorter side of the picture (paper, section 5).

    Attributes:
      field_of_view: of the shorter side, in radians.
    """

    field_of_view: float = math.radians(10.0)

    @property
    def distance(self) -> float:
        """Distance from the camera to the origin."""
        return 1.0 / math.sin(0.5 * self.field_of_view)

    def project(self, points: tf.Tensor, height: int, width: int) -> tf.Tensor:
        """Projects points to homogeneous pixel coordinates.

        Args:
          points: [..., 3] floating point, x right, y down, z away from the camera.
          height: of the picture, in pixels.
          width: of the picture, in pixels.

        Returns:
          [..., 3]: (x z, y z, z) for the pixel position (x, y), origin at the outer
          corner of the top left pixel, and the depth z from the camera.
        """
        focal = 0.5 * min(height, width) / math.tan(0.5 * self.field_of_view)
        # By broadcasting: to take coordinates apart and put them together costs as much
        # as to draw them, and the rounding of a matrix product depends on the batch.
        scales = tf.constant([focal, focal, 0.0], points.dtype)
        centre = tf.constant([0.5 * width, 0.5 * height, 1.0], points.dtype)
        depth = points[..., 2:] + tf.cast(self.distance, points.dtype)
        return points * scales + depth * centre
