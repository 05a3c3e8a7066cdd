"""The fixed pinhole camera."""

import dataclasses
import math

import numpy as np
import tensorflow as tf

from tf_unsup3d.rendering.inputs import convert_vertices
from tf_unsup3d.rendering.transform_points import transform_points


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

    def matrix(self, height: int, width: int) -> np.ndarray:
        """What maps points to homogeneous pixel coordinates.

        Args:
          height: of the picture, in pixels.
          width: of the picture, in pixels.

        Returns:
          [3, 4] float64, for `transform_points`.
        """
        focal = 0.5 * min(height, width) / math.tan(0.5 * self.field_of_view)
        intrinsic = np.array(
            [[focal, 0.0, 0.5 * width], [0.0, focal, 0.5 * height], [0.0, 0.0, 1.0]]
        )
        pose = np.append(np.eye(3), [[0.0], [0.0], [self.distance]], 1)
        return intrinsic @ pose

    def project(self, points: tf.Tensor, height: int, width: int) -> tf.Tensor:
        """Projects points to homogeneous pixel coordinates.

        Args:
          points: [..., 3] floating point, x right, y down, z away from the camera. Half
            precision counts as float32.
          height: of the picture, in pixels.
          width: of the picture, in pixels.

        Returns:
          [..., 3]: (x z, y z, z) for the pixel position (x, y), origin at the outer
          corner of the top left pixel, and the depth z from the camera.
        """
        points = convert_vertices(points, "points")
        matrix = tf.constant(self.matrix(height, width)[None], points.dtype)
        flat = tf.reshape(points, [1, -1, 3])
        return tf.reshape(transform_points(flat, matrix), tf.shape(points))
