"""The pinhole camera."""

import dataclasses
import math

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from tf_unsup3d.rendering.inputs import convert_vertices
from tf_unsup3d.rendering.transform_points import transform_points


@dataclasses.dataclass(frozen=True)
class PinholeCamera:
    """A pinhole camera as a value: cameras compare, hash, and go into JSON.

    Camera space has x right, y down and z away from the camera, whose centre is its
    origin. Depth is z in camera space.

    Attributes:
      field_of_view: Angle that the shorter side of the picture spans, in radians.
      principal_point: Where the axis of the camera meets the picture, as parts of
        (width, height). The default is the middle.
      pose: `[3, 4]`, the rotation and translation (R t) that take a point p of world
        space to R p + t in camera space. By default the camera stands on the negative
        z axis and looks at the origin, so far away that the unit ball just fits the
        shorter side of the picture (paper, section 5).

    Raises:
      ValueError: A field is out of range or has the wrong shape; the message names it.
    """

    field_of_view: float = math.radians(10.0)
    principal_point: tuple[float, float] = (0.5, 0.5)
    pose: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.field_of_view < math.pi:
            raise ValueError(
                f"field_of_view must be between 0 and pi, got {self.field_of_view}"
            )
        pose = self.pose
        if pose is None:
            distance = 1.0 / math.sin(0.5 * self.field_of_view)
            pose = (
                (1.0, 0.0, 0.0, 0.0),
                (0.0, 1.0, 0.0, 0.0),
                (0.0, 0.0, 1.0, distance),
            )
        values = {
            "field_of_view": float(self.field_of_view),
            "principal_point": _finite("principal_point", self.principal_point, (2,)),
            "pose": _finite("pose", pose, (3, 4)),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        rotation = self._rotation()
        if (
            not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-4)
            or np.linalg.det(rotation) < 0.0
        ):
            raise ValueError(
                f"pose must hold a rotation beside a translation, got {self.pose}"
            )

    @property
    def distance(self) -> float:
        """The depth of the origin of world space."""
        return float(np.array(self.pose)[2, 3])

    def matrix(self, height: int, width: int) -> np.ndarray:
        """Computes the matrix that maps points to homogeneous pixel coordinates.

        Args:
          height: Height of the picture in pixels.
          width: Width of the picture in pixels.

        Returns:
          `[3, 4]` float64, for `transform_points`.
        """
        focal = 0.5 * min(height, width) / math.tan(0.5 * self.field_of_view)
        x, y = self._principal_pixel(height, width)
        intrinsic = np.array([[focal, 0.0, x], [0.0, focal, y], [0.0, 0.0, 1.0]])
        return intrinsic @ np.array(self.pose)

    def project(
        self, points: tf.Tensor, height: int, width: int, *, backend: str = "op"
    ) -> tf.Tensor:
        """Projects points to homogeneous pixel coordinates.

        Args:
          points: `[..., 3]` floating point, in world space. Half precision counts as
            float32.
          height: Height of the picture in pixels.
          width: Width of the picture in pixels.
          backend: "op" or "portable"; see `render_mesh`.

        Returns:
          `[..., 3]`: (x z, y z, z) for the pixel position (x, y), with the origin at
          the outer corner of the top-left pixel, and the depth z.
        """
        points = convert_vertices(points, "points")
        matrix = tf.constant(self.matrix(height, width)[None], points.dtype)
        flat = tf.reshape(points, [1, -1, 3])
        return tf.reshape(
            transform_points(flat, matrix, backend=backend), tf.shape(points)
        )

    def turn(self, vectors: tf.Tensor) -> tf.Tensor:
        """Turns vectors, such as normals, from world space to camera space.

        Args:
          vectors: `[..., 3]` float32 or float64.

        Returns:
          `[..., 3]`.
        """
        rotation = tf.constant(self._rotation(), vectors.dtype)
        return tf.matmul(vectors, rotation, transpose_b=True)

    def back_project(self, depth: np.ndarray) -> np.ndarray:
        """Finds the points that the pixels of a depth map show.

        Args:
          depth: `[..., height, width]`, the depth at the pixel centres.

        Returns:
          `[..., height, width, 3]` float64, in camera space.
        """
        depth = np.asarray(depth, np.float64)
        height, width = depth.shape[-2:]
        slope = np.tan(0.5 * self.field_of_view)
        half = 0.5 * min(height, width)
        x, y = self._principal_pixel(height, width)
        right = (np.arange(width) + 0.5 - x) * slope / half
        down = (np.arange(height) + 0.5 - y) * slope / half
        return np.stack([depth * right, depth * down[:, None], depth], -1)

    def _rotation(self) -> np.ndarray:
        return np.array(self.pose)[:, :3]

    def _principal_pixel(self, height: int, width: int) -> tuple[float, float]:
        x, y = self.principal_point
        return x * width, y * height


def _finite(name: str, values: ArrayLike, shape: tuple[int, ...]) -> tuple:
    """An array of finite numbers as nested tuples, which hash."""
    array = np.asarray(values, np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(
            f"{name} must be {list(shape)} finite numbers, got {array.tolist()}"
        )
    rows = array.tolist()
    return tuple(tuple(row) if isinstance(row, list) else row for row in rows)
