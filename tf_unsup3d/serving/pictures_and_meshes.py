"""Answers with pictures and meshes of this project's models, as files.

They come from signatures that `unsup3d-export` writes.
"""

import numpy as np
from starlette.datastructures import QueryParams

from tf_unsup3d.errors import UserError
from tf_unsup3d.export.meshes import encode_glb
from tf_unsup3d.export.pictures import encode_png, to_uint8
from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.serving.json_response import Answer
from tf_unsup3d.serving.query import ANGLES, check_names, read_number, read_seed
from tf_unsup3d.serving.request_error import RequestError

# What pictures and meshes come from; each signature is called with what the one before
# it returns.
PICTURE_SIGNATURES = ("map_seed", "render")
MESH_SIGNATURES = ("generate",)


def picture_inputs(query: QueryParams) -> dict[str, np.ndarray]:
    """Reads which object to draw, and from where.

    Args:
      query: `seed` (default 0), `truncation_psi` (0.7), `yaw_degrees`, `pitch_degrees`
        and `roll_degrees` (0).

    Returns:
      The inputs of `PICTURE_SIGNATURES`, a batch of one.

    Raises:
      RequestError: A parameter is unknown or out of range.
    """
    return _read_query(query, ("seed", "truncation_psi", *ANGLES))


def mesh_inputs(query: QueryParams) -> dict[str, np.ndarray]:
    """Reads which object to generate.

    Args:
      query: `seed` (default 0) and `truncation_psi` (0.7).

    Returns:
      The inputs of `MESH_SIGNATURES`, a batch of one.

    Raises:
      RequestError: A parameter is unknown or out of range.
    """
    return _read_query(query, ("seed", "truncation_psi"))


def png_of(picture: np.ndarray) -> bytes:
    """Makes a PNG file.

    Args:
      picture: `[height, width, 3]` in [-1, 1].

    Returns:
      The content of the file.
    """
    # A higher compression takes twice the time for 4 % fewer bytes.
    return encode_png(to_uint8(picture), compression=1)


def glb_of(answer: Answer) -> bytes:
    """Makes a mesh file of what the signature `generate` returned.

    Args:
      answer: One row of `vertices`, `triangles`, `uv`, `uv_triangles` and `texture`.

    Returns:
      The content of a `.glb` file.

    Raises:
      RequestError: The model generated numbers that are not finite.
    """
    mesh = Mesh(
        *(answer.array(name)[0] for name in ("triangles", "uv", "uv_triangles"))
    )
    vertices, texture = (answer.array(name)[0] for name in ("vertices", "texture"))
    try:
        return encode_glb("mesh", vertices, mesh, texture)
    except UserError as error:
        raise RequestError(500, str(error)) from error


def _read_query(query: QueryParams, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Reads the parameters of a query, each as a batch of one."""
    check_names(query, names)
    return {
        name: np.array([read_seed(query)], np.int64)
        if name == "seed"
        else np.array([read_number(query, name)], np.float32)
        for name in names
    }
