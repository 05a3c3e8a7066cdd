"""The precision that convolutions are computed in."""

import contextlib
import contextvars
import pathlib
from collections.abc import Iterator

import tensorflow as tf

_IN_FORCE = contextvars.ContextVar("convolution_dtype", default=tf.float32)


def convolution_dtype(name: str) -> tf.DType:
    """The dtype of a name.

    Args:
      name: "float32", "bfloat16", or "auto": bfloat16 where it is fast, which is on
        GPUs since Ampere and on CPUs with instructions for it.

    Raises:
      ValueError: for any other name.
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
    """Computes the convolutions called within in `dtype`; all else stays float32.

    Convolutions are most of a training step. Their precision belongs to a run, not to
    a model: variables are float32 and serve either.
    """
    token = _IN_FORCE.set(dtype)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)


def convolve(inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Convolution, padded to keep the size, in the precision in force.

    Args:
      inputs: [batch, height, width, channels].
      kernel: [size, size, channels, filters].

    Returns:
      [batch, height, width, filters], of the inputs' dtype.
    """
    dtype = _IN_FORCE.get()
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
