"""Finds and loads the compiled rasteriser op."""

import functools
import pathlib
import types

import tensorflow as tf

from tf_unsup3d.errors import UserError

LIBRARY_DIR = pathlib.Path(__file__).resolve().parent / "lib"


class RasterizerLibraryError(UserError, ImportError):
    """The compiled op is missing, or was built for another TensorFlow."""


def _explain(reason: str) -> RasterizerLibraryError:
    return RasterizerLibraryError(
        f"the rasteriser op {reason}; build it with `make op` in a checkout, or"
        " `pip install --no-build-isolation .`"
    )


def find_library(directory: pathlib.Path = LIBRARY_DIR) -> pathlib.Path:
    """Finds the library built for the TensorFlow that is running.

    Args:
      directory: where to look.

    Returns:
      The path of the library.

    Raises:
      RasterizerLibraryError: there is none, or only for other TensorFlow versions.
    """
    prefix = "rasterizer_tf"
    path = directory / f"{prefix}{tf.__version__}.so"
    if path.exists():
        return path
    others = sorted(directory.glob(f"{prefix}*.so"))
    if others:
        versions = ", ".join(other.stem.removeprefix(prefix) for other in others)
        raise _explain(
            f"was built for TensorFlow {versions}, but {tf.__version__} is running"
        )
    raise _explain(f"is not built: there is no {path}")


@functools.cache
def load_library() -> types.ModuleType:
    """Loads the op, once.

    Returns:
      The module with the functions of the ops.

    Raises:
      RasterizerLibraryError: the library is missing or does not load.
    """
    path = find_library()
    try:
        return tf.load_op_library(str(path))
    except (tf.errors.OpError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise _explain(f"{path} does not load ({reason})") from error
