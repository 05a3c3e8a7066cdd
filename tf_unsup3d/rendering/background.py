"""The part of a backdrop that a viewpoint sees."""

import tensorflow as tf

from tf_unsup3d.rendering.framing import Framing


def crop_background(
    background: tf.Tensor,
    viewpoints: tf.Tensor,
    extent: tuple[float, float],
    resolution: int,
    coverage: float,
    framing: Framing | None = None,
) -> tf.Tensor:
    """Crops a picture at an offset that follows the viewpoint.

    To turn the object is to move round it, so a backdrop moves across the picture
    against the near side of the object (paper, section 4).

    Args:
      background: `[batch, height, width, 3]`.
      viewpoints: `[batch, 3]` (yaw, pitch, roll) in radians.
      extent: Yaw and pitch, in radians, at which the crop touches the border. Larger
        angles stay there, and an angle whose extent is 0 does not move the crop.
      resolution: Height and width of the result in pixels.
      coverage: Number of pictures that fit side by side into the backdrop, at least 1.
      framing: How the pictures are framed; by default as the camera has them.

    Returns:
      `[batch, resolution, resolution, 3]`.
    """
    yaw, pitch = (
        tf.clip_by_value(viewpoints[:, axis] / limit, -1.0, 1.0)
        if limit > 0.0
        else tf.zeros_like(viewpoints[:, axis])
        for axis, limit in enumerate(extent)
    )
    size = 1.0 / coverage
    left = 0.5 * (1.0 - size) * (1.0 - yaw)
    top = 0.5 * (1.0 - size) * (1.0 + pitch)
    corners, sizes = tf.stack([left, top], -1), tf.fill([tf.shape(left)[0], 1], size)
    if framing is not None:
        corners, sizes = framing.move_crops(corners, size)
    first = corners[:, ::-1]
    boxes = tf.concat([first, first + sizes], -1)
    # Rounding must not lead beyond the border, where crops are 0.
    boxes = tf.clip_by_value(boxes, 0.0, 1.0 - 1e-6)
    return tf.image.crop_and_resize(
        background, boxes, tf.range(tf.shape(background)[0]), [resolution] * 2
    )
