"""The named signatures of a SavedModel: what their tensors are called and hold."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

Shape = tuple[int | None, ...]


@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """An input or output of a signature.

    Attributes:
      name: Its name in requests and answers.
      dtype: Its type.
      shape: Its shape, with None for sizes that vary; None if even the rank varies.
    """

    name: str
    dtype: tf.DType
    shape: Shape | None

    @classmethod
    def from_tensor_info(cls, name: str, info: Any) -> "TensorSpec":
        """Reads the `TensorInfo` protobuf of a SavedModel."""
        shape = None
        if not info.tensor_shape.unknown_rank:
            sizes = (dim.size for dim in info.tensor_shape.dim)
            shape = tuple(None if size < 0 else size for size in sizes)
        return cls(name, tf.as_dtype(info.dtype), shape)

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Whether a tensor of a shape fits."""
        if self.shape is None:
            return True
        return len(shape) == len(self.shape) and all(
            expected in (None, size)
            for expected, size in zip(self.shape, shape, strict=True)
        )

    @property
    def shape_text(self) -> str:
        """The shape as messages show it, such as `[?,32]`."""
        if self.shape is None:
            return "of any shape"
        return shape_text(self.shape)


@dataclasses.dataclass(frozen=True)
class Signature:
    """A function of a SavedModel.

    Attributes:
      name: The name of the signature.
      inputs: The inputs by name.
      outputs: The outputs by name.
    """

    name: str
    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]

    @classmethod
    def from_signature_def(cls, name: str, definition: Any) -> "Signature":
        """Reads the `SignatureDef` protobuf of a SavedModel."""
        inputs, outputs = (
            {key: TensorSpec.from_tensor_info(key, infos[key]) for key in sorted(infos)}
            for infos in (definition.inputs, definition.outputs)
        )
        return cls(name, inputs, outputs)

    @property
    def batched(self) -> bool:
        """Whether the rows of all inputs and outputs belong together.

        Then the rows of several requests can be computed at once.
        """
        return bool(self.inputs) and all(
            spec.shape and spec.shape[0] is None
            for specs in (self.inputs, self.outputs)
            for spec in specs.values()
        )

    def zeros(self, batch_size: int) -> dict[str, np.ndarray] | None:
        """Makes inputs to try the signature with.

        Args:
          batch_size: Number of rows.

        Returns:
          Zeros by the names of the inputs, or None if a size other than that of the
          batch varies or a type has no zero.
        """
        made = {}
        for name, spec in self.inputs.items():
            if not spec.shape or None in spec.shape[1:] or spec.dtype == tf.string:
                return None
            row = tuple(size or 0 for size in spec.shape[1:])
            made[name] = np.zeros((batch_size, *row), spec.dtype.as_numpy_dtype)
        return made


def shape_text(shape: Shape) -> str:
    """Writes a shape for a message, such as `[?,32]`."""
    return f"[{','.join('?' if size is None else str(size) for size in shape)}]"
