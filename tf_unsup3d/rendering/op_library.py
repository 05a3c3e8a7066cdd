"""Finds and loads the compiled rasteriser op."""

import functools
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from tf_unsup3d.errors import UserError

LIBRARY_DIR = pathlib.Path(__file__).resolve().parent / "lib"


class RasterizerLibraryError(UserError, ImportError):
    """The compiled op is missing or does not fit."""


class RasterizerOps(NamedTuple):
    """The functions of the ops.

    What each takes and returns is documented where it is registered, in the file of its
    name in `custom_ops/rasterizer/cc/ops`. The first three have registered gradients,
    which call the other two.

    Attributes:
      render_mesh: Draws a mesh.
      rasterize_mesh: Lists the fragments of a mesh.
      transform_points: Transforms points by affine maps.
      render_mesh_grad: The gradient of `render_mesh`.
      rasterize_mesh_grad: The gradient of `rasterize_mesh`.
    """

    render_mesh: Callable[..., Any]
    rasterize_mesh: Callable[..., Any]
    transform_points: Callable[..., Any]
    render_mesh_grad: Callable[..., Any]
    rasterize_mesh_grad: Callable[..., Any]


def _explain(reason: str) -> RasterizerLibraryError:
    return RasterizerLibraryError(
        f"the rasteriser op {reason}; build it with `make op` in a checkout, or"
        " `pip install --no-build-isolation .`"
    )


def find_library(directory: pathlib.Path = LIBRARY_DIR) -> pathlib.Path:
    """Finds the library built for the TensorFlow that is running.

    Args:
      directory: Folder to look in.

    Returns:
      The path of the library.

    Raises:
      RasterizerLibraryError: There is none, or only for other TensorFlow versions.
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
def load_library() -> RasterizerOps:
    """Loads the library, once.

    Returns:
      The functions of its ops.

    Raises:
      RasterizerLibraryError: The library is missing, does not load or lacks ops.
    """
    path = find_library()
    try:
        module = tf.load_op_library(str(path))
    except (tf.errors.OpError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise _explain(f"{path} does not load ({reason})") from error
    names = [f"tf_unsup3d_{name}" for name in RasterizerOps._fields]
    if not all(hasattr(module, name) for name in names):
        raise _explain(f"{path} lacks ops that this code calls")
    return RasterizerOps(*(getattr(module, name) for name in names))
