"""Viewpoints: how the object is turned before the fixed camera.

A viewpoint is (yaw, pitch, roll) in radians. The object is turned by yaw about the y
axis, then by pitch about the x axis, then by roll about the z axis, each by the
right-hand rule: positive yaw turns a face to the left of the picture, positive pitch
turns it downwards, positive roll turns it clockwise.
"""

import dataclasses
import math

import tensorflow as tf
from tensorflow_graphics.geometry.transformation import rotation_matrix_3d


def rotation_matrices(viewpoints: tf.Tensor) -> tf.Tensor:
    """Rotations R_z(roll) R_x(pitch) R_y(yaw), acting on column vectors.

    Args:
      viewpoints: [..., 3] (yaw, pitch, roll) in radians.

    Returns:
      [..., 3, 3].
    """
    yaw, pitch, roll = tf.unstack(viewpoints, axis=-1)
    zero = tf.zeros_like(yaw)
    about_y = rotation_matrix_3d.from_euler(tf.stack([zero, yaw, zero], -1))
    # Euler angles of the library are applied about x first, then y, then z.
    about_x_then_z = rotation_matrix_3d.from_euler(tf.stack([pitch, zero, roll], -1))
    return tf.matmul(about_x_then_z, about_y)


def rotate(points: tf.Tensor, rotations: tf.Tensor) -> tf.Tensor:
    """Turns points about the origin.

    Args:
      points: [batch, points, 3].
      rotations: [batch, 3, 3], acting on column vectors.

    Returns:
      [batch, points, 3].
    """
    return tf.matmul(points, rotations, transpose_b=True)


def _check_angles(name: str, degrees: tuple[float, ...]) -> None:
    if len(degrees) != 3 or not all(0.0 <= angle <= 180.0 for angle in degrees):
        raise ValueError(
            f"{name} must be three angles from 0 to 180 degrees, got {degrees}"
        )


def _to_radians(degrees: tuple[float, float, float]) -> tf.Tensor:
    return tf.constant([math.radians(angle) for angle in degrees], tf.float32)


@dataclasses.dataclass(frozen=True)
class UniformViewpoints:
    """Angles drawn evenly from [-limit, limit].

    Attributes:
      limits: for (yaw, pitch, roll), in degrees.
    """

    limits: tuple[float, float, float] = (60.0, 15.0, 0.0)

    def __post_init__(self):
        _check_angles("limits", self.limits)

    def sample(self, batch: int, seed: tf.Tensor) -> tf.Tensor:
        """Draws viewpoints.

        Args:
          batch: how many.
          seed: [2] integer, of `tf.random.stateless_uniform`.

        Returns:
          [batch, 3] (yaw, pitch, roll) in radians.
        """
        return _to_radians(self.limits) * tf.random.stateless_uniform(
            [batch, 3], seed, -1.0, 1.0
        )


@dataclasses.dataclass(frozen=True)
class GaussianViewpoints:
    """Normally distributed angles, truncated at two standard deviations.

    Attributes:
      deviations: standard deviations of (yaw, pitch, roll), in degrees.
    """

    deviations: tuple[float, float, float] = (20.0, 8.0, 0.0)

    def __post_init__(self):
        _check_angles("deviations", self.deviations)

    def sample(self, batch: int, seed: tf.Tensor) -> tf.Tensor:
        """Draws viewpoints; see `UniformViewpoints.sample`."""
        return _to_radians(self.deviations) * tf.random.stateless_truncated_normal(
            [batch, 3], seed
        )

    @property
    def limits(self) -> tuple[float, float, float]:
        """The largest (yaw, pitch, roll) that is drawn, in degrees."""
        yaw, pitch, roll = self.deviations
        return 2.0 * yaw, 2.0 * pitch, 2.0 * roll
