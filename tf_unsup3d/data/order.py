"""Random orders that are computed for any position, without what came before it."""

import tensorflow as tf


def shuffled(
    positions: tf.Tensor, count: int | tf.Tensor, seed: int, stream: tf.Tensor
) -> tf.Tensor:
    """Computes what stands at some positions of a random order of 0 to `count` - 1.

    Nothing of the order is stored, so that it takes no memory and can be entered
    anywhere.

    Args:
      positions: `[]` or `[n]` int64 positions, from 0 to `count` - 1.
      count: Length of the order.
      seed: Seed of the order, an integer of at most 64 bits.
      stream: `[]` int64 number that tells apart the orders of one seed, such as the
        number of an epoch.

    Returns:
      Integers from 0 to `count` - 1, with the shape of `positions`.
    """
    # The shuffle itself uses 32 bits of its key only.
    key = tf.random.stateless_uniform(
        [2], tf.stack([tf.constant(seed, tf.int64), stream]), None, None, tf.int32
    )
    last = tf.cast(count, tf.int64) - 1
    return tf.random.experimental.index_shuffle(positions, key, last)
