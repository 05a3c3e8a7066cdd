"""Checkpoints of training runs: one file each, whole or absent, with a checksum.

A checkpoint is an `.npz` file that NumPy can open, without compression. Runs of earlier
versions hold checkpoints of `tf.train.Checkpoint` instead, which are read as well.
"""

import dataclasses
import hashlib
import io
import pathlib
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from tf_unsup3d.errors import UserError
from tf_unsup3d.files import is_passing, reading, replacing, writing

# Variables by name; those of a network or an optimizer are a list.
Variables = Mapping[str, tf.Variable | Sequence[tf.Variable]]

_NAME = re.compile(r"ckpt-(\d{1,18})\.(npz|index)")
_CHECKSUM = "sha256"


class DamagedCheckpointError(UserError):
    """A checkpoint is not as it was written."""


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A checkpoint in a folder, found by its name and not opened yet.

    Attributes:
      path: Path of the file, or of the `.index` file of a `tf.train.Checkpoint`.
      step: Number of steps that had been trained, by the name; 0 where it does not say.
    """

    path: pathlib.Path
    step: int

    @property
    def is_former(self) -> bool:
        """Whether `tf.train.Checkpoint` has written it."""
        return self.path.suffix == ".index"

    def remove(self) -> None:
        """Deletes its files."""
        with writing(self.path):
            if self.is_former:
                for part in self.path.parent.glob(f"{self.path.stem}.data-*"):
                    part.unlink()
            self.path.unlink(missing_ok=True)


def checkpoint_path(folder: pathlib.Path, step: int) -> pathlib.Path:
    """Returns the path of the checkpoint of a step.

    Args:
      folder: Folder of the checkpoints.
      step: Number of steps trained.
    """
    return folder / f"ckpt-{step}.npz"


def best_path(folder: pathlib.Path) -> pathlib.Path:
    """Returns the path of the best checkpoint by a metric, whose step is in the file.

    Args:
      folder: Folder of the checkpoints.
    """
    return folder / "best.npz"


def find_checkpoints(folder: pathlib.Path) -> list[Checkpoint]:
    """Lists the checkpoints in a folder, but for the best one.

    Args:
      folder: The folder, which need not exist.

    Returns:
      The checkpoints, the newest first.

    Raises:
      UserError: The folder cannot be read.
    """
    if not folder.exists():
        return []
    with reading(folder):
        matches = [(path, _NAME.fullmatch(path.name)) for path in folder.iterdir()]
    found = [Checkpoint(path, int(match[1])) for path, match in matches if match]
    return sorted(found, key=lambda one: (one.step, not one.is_former), reverse=True)


def restore_newest(
    folder: pathlib.Path, restore: Callable[[Checkpoint], None]
) -> Checkpoint | None:
    """Restores the newest checkpoint that is not damaged.

    A warning in the log names each damaged one.

    Args:
      folder: Folder of the checkpoints.
      restore: Function that restores a checkpoint; see `restore_checkpoint`.

    Returns:
      The checkpoint that was restored, or None if the folder holds none.

    Raises:
      UserError: All checkpoints are damaged, or one does not fit.
    """
    found = find_checkpoints(folder)
    for checkpoint in found:
        try:
            restore(checkpoint)
            return checkpoint
        except DamagedCheckpointError as error:
            logging.warning("%s; the one before it is used", error)
        except UserError:
            # A training that goes on may have replaced it meanwhile.
            if checkpoint.path.exists():
                raise
            newer = find_checkpoints(folder)
            if newer and newer[0].step > checkpoint.step:
                return restore_newest(folder, restore)
            raise
    if found:
        raise UserError(f"all {len(found)} checkpoints in {folder} are damaged")
    return None


def write_checkpoint(path: pathlib.Path, variables: Variables) -> None:
    """Writes a checkpoint, which is whole or absent whatever happens meanwhile.

    Args:
      path: Path of the file; see `checkpoint_path`.
      variables: The variables.

    Raises:
      UserError: The file cannot be written. An existing file stays as it was.
    """
    arrays: dict[str, Any] = {
        name: np.asarray(variable.numpy()) for name, variable in _flat(variables)
    }
    arrays[_CHECKSUM] = _checksum(arrays)
    with replacing(path) as temporary:
        np.savez(temporary, **arrays)


def restore_checkpoint(
    checkpoint: Checkpoint, variables: Variables, since: Variables | None = None
) -> None:
    """Restores variables from a checkpoint, which may hold others besides.

    Args:
      checkpoint: The checkpoint.
      variables: The variables to restore.
      since: More variables to restore, which older checkpoints do not hold. They then
        keep their values.

    Raises:
      DamagedCheckpointError: The checkpoint is damaged.
      UserError: It does not fit the variables, or cannot be read.
    """
    if checkpoint.is_former:
        _restore_former(checkpoint, variables)
        return
    arrays = _read_arrays(checkpoint.path)
    pairs = [(variable, arrays.get(name)) for name, variable in _flat(variables)]
    pairs += [
        (variable, arrays[name])
        for name, variable in _flat(since or {})
        if name in arrays
    ]
    for variable, array in pairs:
        if array is None or not _fits(array, variable):
            raise _misfit(checkpoint)
    for variable, array in pairs:
        variable.assign(array)


def _fits(array: np.ndarray, variable: tf.Variable) -> bool:
    kind = tf.as_dtype(variable.dtype).as_numpy_dtype
    same_kind = np.can_cast(array.dtype, kind, "same_kind")
    return same_kind and array.shape == tuple(variable.shape)


def _flat(variables: Variables) -> Iterator[tuple[str, tf.Variable]]:
    """Yields each variable with a name of its own."""
    for name, value in variables.items():
        if isinstance(value, Sequence):
            for index, variable in enumerate(value):
                yield f"{name}/{index:04d}", variable
        else:
            yield name, value


def _checksum(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """SHA-256 `[32]` uint8 of names, types, shapes and values."""
    checksum = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        checksum.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        checksum.update(array.tobytes())
    return np.frombuffer(checksum.digest(), np.uint8)


def _read_arrays(path: pathlib.Path) -> dict[str, np.ndarray]:
    """Reads all arrays of a file, which takes no more memory than the file has bytes.

    Nothing else in the file is trusted, and no code in it is run.
    """
    with reading(path), open(path, "rb") as file:
        size = path.stat().st_size
        # On damaged files, zipfile and NumPy raise almost any exception.
        try:
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
                # What a compressed member says of its size may be wrong.
                if any(one.compress_type != zipfile.ZIP_STORED for one in members):
                    raise ValueError("compressed")
                if sum(member.file_size for member in members) > size:
                    raise ValueError("members overlap")
                arrays = {
                    member.filename.removesuffix(".npy"): _parse(archive.read(member))
                    for member in members
                }
            checksum = arrays.pop(_CHECKSUM)
            intact = np.array_equal(checksum, _checksum(arrays))
        except Exception as error:
            # The checkpoint may be intact: an older one must not take its place.
            if isinstance(error, OSError) and is_passing(error):
                raise
            if isinstance(error, MemoryError):
                raise UserError(f"not enough memory to read {path}") from error
            raise DamagedCheckpointError(f"checkpoint {path} is damaged") from error
    if not intact:
        raise DamagedCheckpointError(f"checkpoint {path} is damaged (wrong checksum)")
    return arrays


def _parse(content: bytes) -> np.ndarray:
    """Parses the content of an `.npy` file."""
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("another version")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
    array = np.frombuffer(content, dtype, offset=stream.tell())
    return array.reshape(shape, order="F" if fortran_order else "C")


def _restore_former(checkpoint: Checkpoint, variables: Variables) -> None:
    prefix = checkpoint.path.with_suffix("")
    objects = {
        name: list(value) if isinstance(value, Sequence) else value
        for name, value in variables.items()
    }
    try:
        status = tf.train.Checkpoint(**objects).restore(str(prefix))
        status.assert_existing_objects_matched()
    except (AssertionError, ValueError) as error:
        raise _misfit(checkpoint) from error
    # TensorFlow reports a truncated file as an index out of range.
    except (tf.errors.OpError, IndexError, RuntimeError) as error:
        raise DamagedCheckpointError(f"checkpoint {prefix} is damaged") from error
    status.expect_partial()


def _misfit(checkpoint: Checkpoint) -> UserError:
    return UserError(
        f"checkpoint {checkpoint.path} does not fit the configuration; use the "
        "config.gin of the run"
    )
