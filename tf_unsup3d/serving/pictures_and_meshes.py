"""Answers with pictures and meshes of this project's models, as files.

They come from the signatures `map_seed`, `render` and `generate` of an exported model.
"""

from collections.abc import Awaitable, Callable, Mapping

import numpy as np
from starlette.datastructures import QueryParams

from tf_unsup3d.errors import UserError
from tf_unsup3d.export.meshes import encode_glb
from tf_unsup3d.export.pictures import encode_png, to_uint8
from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.serving.json_response import Answer
from tf_unsup3d.serving.query import ANGLES, check_names, read_number, read_seed
from tf_unsup3d.serving.request_error import RequestError

# Runs a signature of the model on inputs by name.
Predict = Callable[[str, Mapping[str, np.ndarray]], Awaitable[Answer]]


async def picture_of(query: QueryParams, predict: Predict) -> np.ndarray:
    """Draws one object of the model.

    Args:
      query: `seed` (default 0), `truncation_psi` (0.7), `yaw_degrees`, `pitch_degrees`
        and `roll_degrees` (0).
      predict: Runs the signatures.

    Returns:
      `[height, width, 3]` in [-1, 1].

    Raises:
      RequestError: A parameter is unknown or out of range, or the model has no such
        signatures.
    """
    values = _read_query(query, ("seed", "truncation_psi", *ANGLES))
    seed = {name: values[name] for name in ("seed", "truncation_psi")}
    angles = {name: values[name] for name in ANGLES}
    style = (await predict("map_seed", seed)).array("style")
    return (await predict("render", {"style": style, **angles})).array("picture")[0]


async def mesh_of(query: QueryParams, predict: Predict) -> Answer:
    """Generates one object of the model.

    Args:
      query: `seed` (default 0) and `truncation_psi` (0.7).
      predict: Runs the signatures.

    Returns:
      The outputs of the signature `generate`.

    Raises:
      RequestError: A parameter is unknown or out of range, or the model has no such
        signature.
    """
    return await predict("generate", _read_query(query, ("seed", "truncation_psi")))


def png_of(picture: np.ndarray) -> bytes:
    """The content of a PNG file of a picture in [-1, 1]."""
    return encode_png(to_uint8(picture))


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
