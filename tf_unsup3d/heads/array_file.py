"""Arrays of `.npz` files, checked as they are read."""

import os
from collections.abc import Collection
from typing import NoReturn

import numpy as np

from tf_unsup3d.errors import UserError
from tf_unsup3d.files import is_passing, reading


class ArrayFile:
    """The arrays of an `.npz` file.

    The methods that return an array take its key and its shape, in which None stands
    for any size. They raise a `UserError` that names the file and the key if the array
    is missing or different.

    Args:
      path: The file to read.
      leave_out: Names of arrays that are not read.

    Raises:
      UserError: If the file cannot be read or is not an undamaged `.npz` file.
    """

    def __init__(self, path: str | os.PathLike, leave_out: Collection[str] = ()):
        self._path = path
        with reading(path), open(path, "rb") as file:
            # On damaged files, NumPy, zipfile and zlib raise almost any exception.
            try:
                with np.load(file, allow_pickle=False) as arrays:
                    self._arrays = {
                        key: arrays[key] for key in arrays.files if key not in leave_out
                    }
            except Exception as error:
                # The file may be intact.
                if isinstance(error, OSError) and is_passing(error):
                    raise
                if isinstance(error, MemoryError):
                    raise UserError(f"not enough memory to read {path}") from error
                raise UserError(
                    f"{path} is not an .npz file of arrays, or is damaged"
                ) from error

    def __contains__(self, key: str) -> bool:
        """Whether the file holds an array of this name."""
        return key in self._arrays

    def fail(self, key: str, fault: str) -> NoReturn:
        """Raises the error about an array.

        Args:
          key: Name of the array.
          fault: What is wrong with it, such as "is missing".

        Raises:
          UserError: Always.
        """
        raise UserError(f"{self._path}: {key} {fault}")

    def numbers(self, key: str, *shape: int | None) -> np.ndarray:
        """Returns an array of finite numbers as float32."""
        array = self._array(key, "fiu", "numbers", shape)
        with np.errstate(over="ignore"):  # What overflows is not finite.
            array = array.astype(np.float32)
        if not np.isfinite(array).all():
            self.fail(key, "holds numbers that are not finite")
        return array

    def integers(self, key: str, *shape: int | None) -> np.ndarray:
        """Returns an array of integers."""
        return self._array(key, "iu", "integers", shape)

    def booleans(self, key: str, *shape: int | None) -> np.ndarray:
        """Returns an array of truth values."""
        return self._array(key, "b", "true or false", shape)

    def strings(self, key: str, size: int | None) -> list[str]:
        """Returns a list of strings."""
        return self._array(key, "U", "strings", (size,)).tolist()

    def _array(
        self, key: str, kinds: str, description: str, shape: tuple[int | None, ...]
    ) -> np.ndarray:
        if key not in self._arrays:
            self.fail(key, "is missing")
        array = self._arrays[key]
        fits = len(array.shape) == len(shape) and all(
            size in (None, found)
            for size, found in zip(shape, array.shape, strict=True)
        )
        if not fits:
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            self.fail(key, f"has shape {list(array.shape)}, not [{wanted}]")
        # NumPy stores an empty list as floating point, whatever it is a list of.
        if array.size and array.dtype.kind not in kinds:
            self.fail(key, f"is {array.dtype}, not {description}")
        return array
