"""What differs between the two stacks of TensorFlow: Keras 2 and 3, and protobuf."""

import inspect
from collections.abc import Iterable
from typing import Any

import tensorflow as tf
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message


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


def message_to_dict(message: Message) -> dict[str, Any]:
    """Returns the fields of a message by their names, with those that are not set.

    Args:
      message: The message.
    """
    # Protobuf 5.26 renamed it.
    names = "always_print_fields_with_no_presence", "including_default_value_fields"
    known = inspect.signature(MessageToDict).parameters
    unset = next(name for name in names if name in known)
    return MessageToDict(message, preserving_proto_field_name=True, **{unset: True})
