"""Real pictures in a repeatable order."""

import tensorflow as tf

from tf_unsup3d.data.dataset import PictureSet


def real_batches(
    pictures: PictureSet, batch_size: int, *, seed: int, mirror: bool
) -> tf.data.Dataset:
    """Shuffles real pictures in an order that depends on nothing but the seed.

    The order of `PictureSet.batches` also depends on `tf.random.set_seed`, which the
    rest of a program may have called.

    Args:
      pictures: The pictures; each is used once.
      batch_size: Number of pictures of each batch but the last.
      seed: Seed of the order and of the choice of mirrored pictures.
      mirror: Whether pictures chosen at random are mirrored.

    Returns:
      Dataset of `[batch_size, resolution, resolution, 3]` float32 in [-1, 1].
    """
    tf.random.set_seed(seed)
    return pictures.batches(batch_size, seed=seed, mirror=mirror, repeat=False)
