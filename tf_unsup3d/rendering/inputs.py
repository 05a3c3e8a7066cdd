"""The real and integer inputs of the renderer, as tensors of one precision."""

import numpy as np
import tensorflow as tf

_HALF_PRECISION = (tf.float16, tf.bfloat16)


def unwanted_gradients(op: tf.Operation) -> tuple[int, ...]:
    """The inputs of an op that no gradient is asked for, as far as TensorFlow tells.

    A gradient tape does; `tf.gradients` says nothing.

    Args:
      op: whose gradient is computed.

    Returns:
      Their indices.
    """
    return tuple(getattr(op, "skip_input_indices", None) or ())


def convert_vertices(vertices: tf.Tensor, name: str = "vertices") -> tf.Tensor:
    """Vertices in the precision that is rendered in, which theirs decides.

    Half precision is widened to float32: it has no room for the position of a point
    within its pixel.

    Args:
      vertices: of any shape.
      name: what they are called, for the message.

    Returns:
      The vertices, float32 or float64.

    Raises:
      TypeError: they are not real numbers.
    """
    vertices = tf.convert_to_tensor(vertices)
    if vertices.dtype in _HALF_PRECISION:
        return tf.cast(vertices, tf.float32)
    if vertices.dtype not in (tf.float32, tf.float64):
        raise TypeError(f"{name} must be float32 or float64, got {vertices.dtype.name}")
    return vertices


def convert_input(
    name: str, value: tf.Tensor, dtype: tf.DType, like: str = "vertices"
) -> tf.Tensor:
    """An input in the precision that is rendered in.

    Half precision counts as float32; nothing else is converted silently.

    Args:
      name: of the input, for the message.
      value: a tensor or array of `dtype`, or anything else that becomes one.
      dtype: float32, float64 or int32.
      like: the input whose precision is `dtype`, for the message.

    Returns:
      The input, of `dtype`.

    Raises:
      TypeError: the input has another type.
    """
    if not (tf.is_tensor(value) or isinstance(value, np.ndarray)):
        return tf.convert_to_tensor(value, dtype, name=name)
    value = tf.convert_to_tensor(value)
    if value.dtype in _HALF_PRECISION and dtype == tf.float32:
        return tf.cast(value, dtype)
    if value.dtype != dtype:
        like = "" if dtype == tf.int32 else f" like {like}"
        raise TypeError(f"{name} must be {dtype.name}{like}, got {value.dtype.name}")
    return value
