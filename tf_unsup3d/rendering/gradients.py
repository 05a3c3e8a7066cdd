"""Which gradients of an op are asked for."""

import tensorflow as tf


def unwanted_gradients(op: tf.Operation) -> tuple[int, ...]:
    """Tells which gradients of an op nobody asks for, as far as TensorFlow knows.

    A gradient tape says what it needs; `tf.gradients` does not.

    Args:
      op: The op whose gradients are computed.

    Returns:
      Indices of the inputs whose gradients may be left out.
    """
    return tuple(getattr(op, "skip_input_indices", None) or ())
