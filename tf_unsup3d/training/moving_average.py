"""The moving average of a model's weights, which draws better than the model."""

import tensorflow as tf

# The half-life is at most this part of the pictures seen, so that the average keeps up
# while everything changes (the ramp-up of Karras et al. 2020, "Training generative
# adversarial networks with limited data").
_PART = 0.125


def decay(seen: tf.Tensor, batch_size: int, half_life: float) -> tf.Tensor:
    """What one step leaves of the average so far.

    Args:
      seen: pictures seen so far, this batch among them.
      batch_size: pictures of this step.
      half_life: pictures after which half of the average is new; shorter while few
        were seen.

    Returns:
      Scalar float32 in (0, 1).
    """
    half_life = tf.minimum(_PART * tf.cast(seen, tf.float32), float(half_life))
    return 0.5 ** (batch_size / half_life)
