"""The stored meshes of heads, which show their backs as well."""

import dataclasses
import os

import numpy as np

from tf_unsup3d.files import replacing
from tf_unsup3d.heads.array_file import ArrayFile


@dataclasses.dataclass(frozen=True, eq=False)
class TrueMeshes:
    """The meshes of some heads, in the same order as their pictures.

    Attributes:
      vertices: [heads, vertices, 3] float32 in object space, at the size at which the
        pictures show them.
      triangles: [triangles, 3] int32 vertex indices, the same for all heads.
    """

    vertices: np.ndarray
    triangles: np.ndarray


def write_meshes(path: str | os.PathLike, meshes: TrueMeshes) -> None:
    """Writes meshes to one file.

    Args:
      path: The `.npz` file to write.
      meshes: The meshes.

    Raises:
      UserError: If the file cannot be written.
    """
    with replacing(path) as temporary:
        np.savez_compressed(
            temporary, vertices=meshes.vertices, triangles=meshes.triangles
        )


def read_meshes(path: str | os.PathLike) -> TrueMeshes:
    """Reads a file that `write_meshes` has written.

    Args:
      path: The file to read.

    Returns:
      The meshes.

    Raises:
      UserError: If the file cannot be read or an array is missing or wrong.
    """
    file = ArrayFile(path)
    vertices = file.numbers("vertices", None, None, 3)
    triangles = file.integers("triangles", None, 3).astype(np.int32)
    if (
        not triangles.size
        or triangles.min() < 0
        or triangles.max() >= vertices.shape[1]
    ):
        file.fail("triangles", f"must hold indices of the {vertices.shape[1]} vertices")
    return TrueMeshes(vertices, triangles)
