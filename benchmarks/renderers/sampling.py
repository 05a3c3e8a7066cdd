"""Bilinear sampling, for peers that have none, or none in the precision asked for."""

import tensorflow as tf


def sample_bilinear(texture: tf.Tensor, uv: tf.Tensor) -> tf.Tensor:
    """Samples textures; beyond a texture its border continues.

    Args:
      texture: [batch, texture_height, texture_width, channels].
      uv: [batch, height, width, 2], of the texture's type, origin at the top left.

    Returns:
      [batch, height, width, channels].
    """
    size = tf.cast(texture.shape[2:0:-1], uv.dtype)
    position = tf.clip_by_value(uv * size - 0.5, tf.zeros_like(size), size - 1.0)
    corner = tf.minimum(tf.floor(position), size - 2.0)
    part = position - corner
    index = tf.cast(corner, tf.int32)[..., ::-1]
    rows = [
        tf.gather_nd(texture, index + [y, 0], batch_dims=1) * (1.0 - part[..., :1])
        + tf.gather_nd(texture, index + [y, 1], batch_dims=1) * part[..., :1]
        for y in (0, 1)
    ]
    return rows[0] * (1.0 - part[..., 1:]) + rows[1] * part[..., 1:]
