"""The precision in which convolutions are computed."""

import contextlib
import contextvars
import pathlib
from collections.abc import Iterator

import tensorflow as tf

_DTYPE_IN_FORCE = contextvars.ContextVar("convolution_dtype", default=tf.float32)


def convolution_dtype(name: str) -> tf.DType:
    """Returns the dtype of convolutions for the name of a precision.

    Args:
      name: "float32", "bfloat16", or "auto", which is bfloat16 on hardware that
        multiplies it fast (GPUs since Ampere, CPUs with AVX-512 BF16 or AMX) and
        float32 elsewhere.

    Returns:
      `tf.float32` or `tf.bfloat16`.

    Raises:
      ValueError: The name is none of these.
    """
    if name == "auto":
        name = "bfloat16" if _has_fast_bfloat16() else "float32"
    if name not in ("float32", "bfloat16"):
        raise ValueError(
            f"convolution_dtype {name!r} is not one of 'auto', 'bfloat16', 'float32'"
        )
    return tf.dtypes.as_dtype(name)


@contextlib.contextmanager
def convolutions_in(dtype: tf.DType) -> Iterator[None]:
    """Sets the dtype of the convolutions in a `with` block; all else is float32.

    Convolutions are most of the work of a training step. Their precision belongs to a
    run rather than to a model: variables are float32 and serve either precision.

    Args:
      dtype: The dtype that `convolution_dtype` returned.
    """
    token = _DTYPE_IN_FORCE.set(dtype)
    try:
        yield
    finally:
        _DTYPE_IN_FORCE.reset(token)


def convolve(inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Convolves with stride 1 and zero padding, in the precision in force.

    Args:
      inputs: `[batch, height, width, channels]` float32.
      kernel: `[size, size, channels, filters]` float32.

    Returns:
      `[batch, height, width, filters]`, of the dtype of the inputs.
    """
    dtype = _DTYPE_IN_FORCE.get()
    outputs = tf.nn.conv2d(tf.cast(inputs, dtype), tf.cast(kernel, dtype), 1, "SAME")
    return tf.cast(outputs, inputs.dtype)


def _has_fast_bfloat16() -> bool:
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = map(tf.config.experimental.get_device_details, gpus)
        return all(gpu.get("compute_capability", (0, 0)) >= (8, 0) for gpu in details)
    processor = pathlib.Path("/proc/cpuinfo")
    flags = processor.read_text() if processor.exists() else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags
