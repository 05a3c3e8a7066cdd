"""A layout in which the values at the corners of a mesh are gathered fast.

In it, values `[items, coordinates, batch]` have the batch last: what belongs to an item
is moved as one long row, and coordinates are arrays of their own. In
`[batch, items, coordinates]`, gathering, adding up and `tf.linalg.cross` take half as
long again, gradients included.
"""

import numpy as np
import tensorflow as tf


def to_rows(values: tf.Tensor) -> tf.Tensor:
    """Turns `[batch, items, coordinates]` into `[items, coordinates, batch]`."""
    return tf.transpose(values, [1, 2, 0])


def from_rows(rows: tf.Tensor) -> tf.Tensor:
    """Turns `[items, coordinates, batch]` into `[batch, items, coordinates]`."""
    return tf.transpose(rows, [2, 0, 1])


def gather_columns(rows: tf.Tensor, indices: np.ndarray | tf.Tensor) -> list[tf.Tensor]:
    """Gathers the rows that each column of some indices names.

    Args:
      rows: `[items, coordinates, batch]`.
      indices: `[n, columns]` integers below `items`.

    Returns:
      For each column `[n, coordinates, batch]`.
    """
    return tf.unstack(tf.gather(rows, tf.transpose(indices)))
