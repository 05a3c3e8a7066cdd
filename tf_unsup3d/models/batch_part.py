"""The parts of a batch that are computed apart from each other."""

import dataclasses

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class BatchPart:
    """One of several equal parts of a batch.

    Random numbers are drawn for the whole batch, and each part takes its own, so that
    what is computed does not depend on the number of parts.

    A part holds whole groups of the pictures that the discriminator compares with each
    other: with k groups, every k-th picture of the batch belongs to the same group; see
    `minibatch_deviation`. This is true of the pictures of a part as well, with its own
    number of groups.

    Attributes:
      index: `[]` integer, the number of the part, from 0 to `count` - 1.
      count: Number of parts.
      group_size: Number of pictures in a group. With more than one part, the size of a
        part must be a multiple of it.
    """

    index: int | tf.Tensor = 0
    count: int = 1
    group_size: int = 1

    def of(self, batch: tf.Tensor) -> tf.Tensor:
        """Returns this part of a batch.

        Args:
          batch: `[batch, ...]`.

        Returns:
          `[batch / count, ...]`.
        """
        if self.count == 1:
            return batch
        shape = batch.shape[1:]
        groups = tf.reshape(batch, [self.group_size, self.count, -1, *shape])
        return tf.reshape(tf.gather(groups, self.index, axis=1), [-1, *shape])


WHOLE_BATCH = BatchPart()
