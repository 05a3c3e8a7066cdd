"""Reading and writing the weights of a network."""

import hashlib
import io
import pathlib
import zipfile

import keras
import numpy as np

from tf_unsup3d.compat import checkpointable
from tf_unsup3d.errors import UserError
from tf_unsup3d.files import write_bytes


def write_weights(
    network: keras.Model, path: pathlib.Path, dtype: type = np.float16
) -> None:
    """Writes the weights of a network.

    Args:
      network: A built network, whose weights are in the range of the type.
      path: Path of the `.npz` file to write.
      dtype: `np.float16`, which halves the file, or `np.float32`, which keeps every
        bit.

    Raises:
      UserError: A weight is NaN or beyond the range of `dtype`, or the file cannot be
        written.
    """
    values = [variable.numpy() for variable in checkpointable(network.variables)]
    # No comparison with NaN is true, so that it is refused, too.
    if not all(np.abs(value).max() <= np.finfo(dtype).max for value in values):
        kind = np.dtype(dtype).name
        raise UserError(
            f"cannot write {path}: a weight is NaN or beyond the range of {kind}"
        )
    arrays = {f"{i:03d}": value.astype(dtype) for i, value in enumerate(values)}
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_bytes(path, content.getvalue())


def weights_checksum(network: keras.Model) -> str:
    """Computes a checksum of the weights, as they are after `write_weights`.

    Args:
      network: A built network.

    Returns:
      The SHA-256 of the weights in half precision, in hexadecimal. It is the same for a
      network and for the copy that has read its file.
    """
    checksum = hashlib.sha256()
    for variable in checkpointable(network.variables):
        checksum.update(variable.numpy().astype(np.float16).tobytes())
    return checksum.hexdigest()


def read_weights(network: keras.Model, path: pathlib.Path) -> None:
    """Loads the weights in a file into a network.

    The file need not be trusted: no code in it is run, and its arrays are unpacked only
    if their shapes are those of the network's weights.

    Args:
      network: A built network with the configuration that the weights belong to.
      path: Path of the `.npz` file.

    Raises:
      UserError: The file cannot be read, is damaged, or does not fit the network. The
        network then keeps its weights.
    """
    variables = checkpointable(network.variables)
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(archive.namelist())
            if len(names) != len(variables):
                raise UserError(
                    f"{path} does not fit the configuration: it holds {len(names)} "
                    f"arrays, the {network.name} has {len(variables)}"
                )
            values = [
                _read_array(archive, name, tuple(variable.shape), path)
                for name, variable in zip(names, variables, strict=True)
            ]
    except UserError:
        raise
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    # On damaged files, zipfile and NumPy raise almost any exception.
    except Exception as error:
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
