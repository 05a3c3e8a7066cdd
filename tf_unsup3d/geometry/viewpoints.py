"""Viewpoints: how the object is turned before the fixed camera.

A viewpoint is (yaw, pitch, roll) in radians. The object is turned by yaw about the y
axis, then by pitch about the x axis, then by roll about the z axis, each by the
right-hand rule: positive yaw turns a face to the left of the picture, positive pitch
turns it downwards, positive roll turns it clockwise.
"""

import dataclasses
import math
from collections.abc import Sequence

import tensorflow as tf


def rotation_matrices(viewpoints: tf.Tensor) -> tf.Tensor:
    """Computes the rotations R_z(roll) R_x(pitch) R_y(yaw).

    Args:
      viewpoints: `[..., 3]` (yaw, pitch, roll) in radians.

    Returns:
      `[..., 3, 3]`, acting on column vectors.
    """
    about_x_y_z = tf.gather(viewpoints, [1, 0, 2], axis=-1)
    sx, sy, sz = tf.unstack(tf.sin(about_x_y_z), axis=-1)
    cx, cy, cz = tf.unstack(tf.cos(about_x_y_z), axis=-1)
    zero, one = tf.zeros_like(sx), tf.ones_like(sx)
    yaw = _matrices([[cy, zero, sy], [zero, one, zero], [-sy, zero, cy]])
    pitch_then_roll = _matrices(
        [[cz, -cx * sz, sx * sz], [sz, cx * cz, -sx * cz], [zero, sx, cx]]
    )
    return tf.matmul(pitch_then_roll, yaw)


def _matrices(rows: Sequence[Sequence[tf.Tensor]]) -> tf.Tensor:
    """Matrices `[..., 3, 3]` of rows of entries `[...]`."""
    return tf.stack([tf.stack(row, -1) for row in rows], -2)


def rotate(points: tf.Tensor, rotations: tf.Tensor) -> tf.Tensor:
    """Turns points about the origin.

    Args:
      points: `[batch, points, 3]`.
      rotations: `[batch, 3, 3]`, acting on column vectors.

    Returns:
      `[batch, points, 3]`.
    """
    return tf.matmul(points, rotations, transpose_b=True)


def _check_angles(name: str, degrees: tuple[float, ...]) -> None:
    if len(degrees) != 3 or not all(0.0 <= angle <= 180.0 for angle in degrees):
        raise ValueError(
            f"{name} must be three angles from 0 to 180 degrees, got {degrees}"
        )


def _to_radians(degrees: tuple[float, float, float]) -> tf.Tensor:
    return tf.constant([math.radians(angle) for angle in degrees], tf.float32)


def _scaled(
    degrees: tuple[float, float, float], factors: Sequence[float]
) -> tuple[float, float, float]:
    yaw, pitch, roll = (
        min(180.0, angle * float(factor))
        for angle, factor in zip(degrees, factors, strict=True)
    )
    return yaw, pitch, roll


class _Distribution:
    """What the distributions of viewpoints have in common."""

    def align(self, viewpoints: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Aligns the pictures by what they show, where those of training are aligned.

        Args:
          viewpoints: `[batch, 3]` (yaw, pitch, roll) in radians.

        Returns:
          The viewpoints in the aligned pictures, `[batch, 3]`, and how much these are
          enlarged, `[batch]`, or None: pictures stay as they are.
        """
        return viewpoints, None


@dataclasses.dataclass(frozen=True)
class UniformViewpoints(_Distribution):
    """Uniformly distributed angles in [-limit, limit].

    Attributes:
      limits: Largest (yaw, pitch, roll), in degrees.
    """

    limits: tuple[float, float, float] = (60.0, 15.0, 0.0)

    def __post_init__(self) -> None:
        _check_angles("limits", self.limits)

    def sample(self, batch: int, seed: tf.Tensor) -> tf.Tensor:
        """Draws viewpoints.

        Args:
          batch: Number of viewpoints.
          seed: `[2]` integer seed, as `tf.random.stateless_uniform` takes.

        Returns:
          `[batch, 3]` (yaw, pitch, roll) in radians.
        """
        return _to_radians(self.limits) * tf.random.stateless_uniform(
            [batch, 3], seed, -1.0, 1.0
        )

    def scaled(self, factors: Sequence[float]) -> "UniformViewpoints":
        """Returns the distribution with limits multiplied by factors `[3]`."""
        return dataclasses.replace(self, limits=_scaled(self.limits, factors))


@dataclasses.dataclass(frozen=True)
class GaussianViewpoints(_Distribution):
    """Normally distributed angles, truncated at two standard deviations.

    Attributes:
      deviations: Standard deviations of (yaw, pitch, roll), in degrees.
    """

    deviations: tuple[float, float, float] = (20.0, 8.0, 0.0)

    def __post_init__(self) -> None:
        _check_angles("deviations", self.deviations)

    def sample(self, batch: int, seed: tf.Tensor) -> tf.Tensor:
        """Draws viewpoints; see `UniformViewpoints.sample`."""
        return _to_radians(self.deviations) * tf.random.stateless_truncated_normal(
            [batch, 3], seed
        )

    def scaled(self, factors: Sequence[float]) -> "GaussianViewpoints":
        """Returns the distribution with deviations multiplied by factors `[3]`."""
        return dataclasses.replace(self, deviations=_scaled(self.deviations, factors))

    @property
    def limits(self) -> tuple[float, float, float]:
        """The largest (yaw, pitch, roll) that is drawn, in degrees."""
        yaw, pitch, roll = self.deviations
        return 2.0 * yaw, 2.0 * pitch, 2.0 * roll


Viewpoints = UniformViewpoints | GaussianViewpoints
