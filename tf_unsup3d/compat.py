"""What differs between Keras 2 and Keras 3."""

from collections.abc import Iterable

import tensorflow as tf


def checkpointable(variables: Iterable) -> list[tf.Variable]:
    """The TensorFlow variables of Keras variables, for `tf.train.Checkpoint`.

    Keras 3 wraps them, and does not tell a checkpoint of layers held in lists.

    Args:
      variables: of a model or an optimizer, in their order.

    Returns:
      The variables that hold the values.
    """
    values = ((variable, variable.value) for variable in variables)
    return [variable if callable(value) else value for variable, value in values]


def variable_name(variable: tf.Variable) -> str:
    """The name of a Keras variable, with those of its layers."""
    # Keras 2 counts the outputs of the operation that made it.
    return getattr(variable, "path", variable.name).removesuffix(":0")
