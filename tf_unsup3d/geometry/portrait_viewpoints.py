"""Viewpoints of faces in portraits that were aligned by their eyes and mouth."""

import dataclasses
import itertools
import math

import tensorflow as tf

from tf_unsup3d.geometry.portrait_alignment import EYE_DISTANCES, MOUTH_DISTANCES
from tf_unsup3d.geometry.viewpoints import GaussianViewpoints, rotation_matrices


@dataclasses.dataclass(frozen=True)
class PortraitViewpoints(GaussianViewpoints):
    """Viewpoints of heads before FFHQ's alignment, which turns and enlarges pictures.

    The alignment brings the eyes and the mouth of each picture to the same places. If
    what it takes for the mouth is before the eyes, that goes to one side of them in a
    head that turns. The picture is then rolled until half of this is undone, and
    enlarged by as much as the face is foreshortened. A head that turns and nods has
    eyes that are not level, half of which is undone as well. A generator whose pictures
    lack this learns other faces.

    Attributes:
      deviations: Standard deviations of (yaw, pitch, roll), in degrees. The roll is
        what remains after the alignment, because faces differ.
      eye_distance: Distance between the eyes, as a part of the height of the eyes above
        the mouth.
      mouth_protrusion: How far the mouth is before the eyes in a head with pitch 0, as
        a part of the same height. FFHQ's alignment takes the middle between the corners
        of the mouth, which is hardly before the eyes: in aligned portraits, these are
        level at any yaw.
    """

    deviations: tuple[float, float, float] = (20.0, 8.0, 0.5)
    eye_distance: float = 0.85
    mouth_protrusion: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.eye_distance > 0.0:
            raise ValueError(f"eye_distance must be positive, got {self.eye_distance}")
        if not abs(self.mouth_protrusion) <= 1.0:
            raise ValueError(
                f"mouth_protrusion must be from -1 to 1, got {self.mouth_protrusion}"
            )

    def align(self, viewpoints: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Aligns pictures by the formula of Karras et al. 2019.

        Args:
          viewpoints: `[batch, 3]` (yaw, pitch, roll) in radians. The alignment adds to
            the roll; the roll of a head before it makes no difference.

        Returns:
          The viewpoints in the aligned pictures, `[batch, 3]`, and how much these are
          enlarged, `[batch]`; 1 for a face from the front.
        """
        eyes, mouth, size = self._aligned_by(viewpoints * [1.0, 1.0, 0.0])
        # Down, turned by a quarter, points to the right as well.
        right = eyes[:, 0] + mouth[:, 1]
        down = eyes[:, 1] - mouth[:, 0]
        roll = tf.atan2(down, right)
        turned = viewpoints - tf.stack([tf.zeros_like(roll)] * 2 + [roll], -1)
        _, _, front = self._aligned_by(tf.zeros([1, 3], viewpoints.dtype))
        return turned, front / size

    @property
    def limits(self) -> tuple[float, float, float]:
        """The largest (yaw, pitch, roll) that is drawn, in degrees."""
        yaw, pitch, roll = super().limits
        corners = itertools.product((-yaw, yaw), (-pitch, pitch))
        extreme = [[math.radians(a), math.radians(b), 0.0] for a, b in corners]
        with tf.init_scope():
            aligned, _ = self.align(tf.constant(extreme))
            largest = float(tf.reduce_max(tf.abs(aligned[:, 2])))
        return yaw, pitch, min(180.0, roll + math.degrees(largest))

    def _aligned_by(
        self, viewpoints: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """What the alignment sees, in heights of the eyes above the mouth.

        Returns:
          The way from one eye to the other and from the eyes to the mouth in the
          picture, `[batch, 2]` each, and half the width of the crop, `[batch]`.
        """
        axes = rotation_matrices(viewpoints)[:, :2]
        eyes = self.eye_distance * axes[..., 0]
        mouth = axes[..., 1] - self.mouth_protrusion * axes[..., 2]
        size = tf.maximum(
            EYE_DISTANCES * tf.norm(eyes, axis=-1),
            MOUTH_DISTANCES * tf.norm(mouth, axis=-1),
        )
        return eyes, mouth, size
