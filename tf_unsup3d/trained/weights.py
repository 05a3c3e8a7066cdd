"""Reading and writing the weights of a generator."""

import io
import pathlib
import zipfile
import zlib

import numpy as np

from tf_unsup3d.compat import checkpointable
from tf_unsup3d.errors import UserError
from tf_unsup3d.files import write_bytes
from tf_unsup3d.models.generator import Generator


def write_weights(
    generator: Generator, path: pathlib.Path, dtype: type = np.float16
) -> None:
    """Writes the weights of a generator.

    Args:
      generator: A built generator.
      path: Path of the `.npz` file to write.
      dtype: `np.float16`, which halves the file, or `np.float32`, which keeps every
        bit.

    Raises:
      UserError: A weight is beyond the range of `dtype`, or the file cannot be written.
    """
    values = [variable.numpy() for variable in checkpointable(generator.variables)]
    if max(np.abs(value).max() for value in values) > np.finfo(dtype).max:
        kind = np.dtype(dtype).name
        raise UserError(f"cannot write {path}: a weight is beyond the range of {kind}")
    arrays = {f"{i:03d}": value.astype(dtype) for i, value in enumerate(values)}
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_bytes(path, content.getvalue())


def read_weights(generator: Generator, path: pathlib.Path) -> None:
    """Loads the weights in a file into a generator.

    The file need not be trusted: no code in it is run, and its arrays are unpacked only
    if their shapes are those of the generator's weights.

    Args:
      generator: A built generator with the configuration that the weights belong to.
      path: Path of the `.npz` file.

    Raises:
      UserError: The file cannot be read, is damaged, or does not fit the generator. The
        generator then keeps its weights.
    """
    variables = checkpointable(generator.variables)
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(archive.namelist())
            if len(names) != len(variables):
                raise UserError(
                    f"{path} does not fit the configuration: it holds {len(names)} "
                    f"arrays, the generator has {len(variables)}"
                )
            values = [
                _read_array(archive, name, tuple(variable.shape), path)
                for name, variable in zip(names, variables, strict=True)
            ]
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ValueError,
        # What zipfile raises for encryption and unknown kinds of compression.
        RuntimeError,
    ) as error:
        raise UserError(f"{path} is damaged, or holds no weights") from error
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _read_array(
    archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], path: pathlib.Path
) -> np.ndarray:
    """Reads an array, after a check of its header; returns it in single precision."""
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"format {version}")
        found, _, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype not in (np.float16, np.float32):
        raise UserError(f"{path}: array {name} is {dtype}, not floating point")
    if found != shape:
        raise UserError(
            f"{path} does not fit the configuration: array {name} is {list(found)}, "
            f"not {list(shape)}"
        )
    with archive.open(name) as file:
        value = np.lib.format.read_array(file, allow_pickle=False)
    if not np.isfinite(value).all():
        raise UserError(f"{path}: array {name} holds numbers that are not finite")
    return value.astype(np.float32)
