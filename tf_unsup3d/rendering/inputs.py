"""Conversion of the renderer's inputs to tensors of one precision."""

import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.mesh import Mesh

_HALF_PRECISION = (tf.float16, tf.bfloat16)


def convert_vertices(vertices: tf.Tensor, name: str = "vertices") -> tf.Tensor:
    """Converts vertices to the precision to render in, which theirs decides.

    Half precision is widened to float32: it has no room for the position of a point
    within its pixel.

    Args:
      vertices: Real numbers of any shape.
      name: Name of the input, for the message.

    Returns:
      The vertices as float32 or float64.

    Raises:
      TypeError: The vertices are not real numbers.
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
    """Converts an input to the precision to render in.

    Half precision counts as float32; nothing else is converted silently.

    Args:
      name: Name of the input, for the message.
      value: A tensor or array of `dtype`, or anything else that becomes one.
      dtype: float32, float64 or int32.
      like: Name of the input whose precision is `dtype`, for the message.

    Returns:
      The input as a tensor of `dtype`.

    Raises:
      TypeError: The input has another type.
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


def convert_uv(mesh: Mesh, dtype: tf.DType, like: str = "vertices") -> tf.Tensor:
    """Converts the texture coordinates of a mesh to the precision to render in.

    In a mesh they are single precision unless they are a tensor, so an array is
    widened where it has to be.

    Args:
      mesh: A mesh with a texture layout.
      dtype: float32 or float64.
      like: Name of the input whose precision is `dtype`, for the message.

    Returns:
      `[uvs, 2]` of `dtype`.

    Raises:
      ValueError: The mesh has no texture coordinates.
      TypeError: They are a tensor of another type.
    """
    if mesh.uv is None:
        raise ValueError("a texture takes a mesh with uv, and this one has none")
    if isinstance(mesh.uv, np.ndarray):
        return tf.constant(mesh.uv, dtype)
    return convert_input("uv", mesh.uv, dtype, like)
