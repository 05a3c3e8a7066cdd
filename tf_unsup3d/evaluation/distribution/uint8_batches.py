"""Real pictures in batches, as networks of features take them."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tf_unsup3d.data.dataset import PictureSet
from tf_unsup3d.export.pictures import to_uint8


def uint8_batches(
    pictures: PictureSet, batches: tf.data.Dataset
) -> Iterator[np.ndarray]:
    """Reads pictures for a network, whose own failures are none of the pictures'.

    Args:
      pictures: The set.
      batches: Batches of it.

    Yields:
      Batches, uint8.

    Raises:
      UserError: The pictures can no longer be read.
    """
    with pictures.iterating():
        for batch in batches:
            yield to_uint8(batch.numpy())
