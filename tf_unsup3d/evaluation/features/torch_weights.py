"""Weights in the file format of PyTorch before version 1.6, read without PyTorch."""

import collections
import pathlib
import pickle
import struct
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from tf_unsup3d.errors import UserError

# First object of such a file, and the version of the format in the second.
_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Storage(NamedTuple):
    """A block of numbers that stands behind the pickled part of the file."""

    dtype: np.dtype
    key: str


class _Tensor(NamedTuple):
    """A view of a storage, in the order of the arguments in the file."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    requires_grad: bool
    hooks: dict


class _Unpickler(pickle.Unpickler):
    """Reads tensors and ordered dictionaries of them, and refuses anything else.

    Names in a pickle are normally looked up and called, so that a file can run any
    code. Here the only names are these, and they stand for plain data.
    """

    _ALLOWED: dict[tuple[str, str], Any] = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
    } | {("torch", name): dtype for name, dtype in _TYPES.items()}

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Looks up a name of the file."""
        try:
            return self._ALLOWED[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"{module_name}.{global_name} does not belong into a file of weights"
            ) from None

    def persistent_load(self, pid: Any) -> _Storage:
        """Notes which storage a tensor views."""
        _, dtype, key, *_ = pid
        return _Storage(dtype, key)


def read_state_dict(path: pathlib.Path) -> dict[str, np.ndarray]:
    """Reads the weights of a PyTorch model.

    Args:
      path: File written by `torch.save` of a state dictionary, in the format that was
        the default before PyTorch 1.6.

    Returns:
      The weights by name.

    Raises:
      UserError: The file is missing or holds anything but weights. No code in it is
        run.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except (
        AttributeError,
        EOFError,
        IndexError,
        KeyError,
        MemoryError,
        OSError,
        OverflowError,
        TypeError,
        ValueError,
        pickle.UnpicklingError,
        struct.error,
    ) as error:
        raise UserError(
            f"{path} is not a file of PyTorch weights in the format before version "
            f"1.6 ({error})"
        ) from error


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    magic, version, _ = (_Unpickler(file).load() for _ in range(3))
    if (magic, version) != (_MAGIC, _VERSION):
        raise ValueError("it begins differently")
    tensors = _Unpickler(file).load()
    dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
    storages = {}
    for key in _Unpickler(file).load():
        (count,) = struct.unpack("<q", file.read(8))
        storages[key] = file.read(count * dtypes[key].itemsize)
    return {
        name: _view(tensor, storages[tensor.storage.key])
        for name, tensor in tensors.items()
    }


def _view(tensor: _Tensor, storage: bytes) -> np.ndarray:
    """The tensor as an array of its own; NumPy checks that it lies in the storage."""
    dtype = tensor.storage.dtype
    strides = [dtype.itemsize * stride for stride in tensor.strides]
    offset = dtype.itemsize * tensor.offset
    return np.ndarray(tensor.shape, dtype, storage, offset, strides).copy()
