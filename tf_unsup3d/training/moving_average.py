"""The moving average of a generator's weights, which gives better pictures."""

import tensorflow as tf

# The half-life is at most this fraction of the pictures seen, so that the average keeps
# up with the fast changes early in training (the ramp-up of Karras et al. 2020,
# "Training generative adversarial networks with limited data").
_LARGEST_FRACTION = 0.125


def decay(seen: tf.Tensor, batch_size: int, half_life: float) -> tf.Tensor:
    """Computes the weight that the previous average keeps in one step.

    Args:
      seen: `[]` integer, the number of pictures seen so far, including this batch.
      batch_size: Number of pictures in this batch.
      half_life: Number of pictures after which half of the average is new. Early in
        training it is shorter.

    Returns:
      `[]` float32 in (0, 1).
    """
    half_life = tf.minimum(
        _LARGEST_FRACTION * tf.cast(seen, tf.float32), float(half_life)
    )
    return 0.5 ** (batch_size / half_life)
