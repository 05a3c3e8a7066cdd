"""Answers with pictures and meshes of this project's models, as files.

They come from signatures that `unsup3d-export` writes.
"""

import math
import re
from typing import NamedTuple

import numpy as np
from starlette.datastructures import QueryParams

from tf_unsup3d.errors import UserError
from tf_unsup3d.export.meshes import encode_glb
from tf_unsup3d.export.pictures import encode_png, to_uint8
from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.serving.json_response import Answer
from tf_unsup3d.serving.request_error import RequestError, bad_request

_MOST_DIGITS = 18


class _Number(NamedTuple):
    """A query parameter."""

    default: float
    least: float
    greatest: float


_NUMBERS = {
    "truncation_psi": _Number(0.7, -2.0, 2.0),
    "yaw_degrees": _Number(0.0, -360.0, 360.0),
    "pitch_degrees": _Number(0.0, -360.0, 360.0),
    "roll_degrees": _Number(0.0, -360.0, 360.0),
}
_ANGLES = ("yaw_degrees", "pitch_degrees", "roll_degrees")


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
    return _read_query(query, ("seed", "truncation_psi", *_ANGLES))


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
    items = query.multi_items()
    for name, _ in items:
        if name not in names:
            raise bad_request(
                f"unknown parameter {name!r}; there are: {', '.join(names)}"
            )
    if len(items) > len({name for name, _ in items}):
        raise bad_request("a parameter is given twice")
    return {
        name: _read_seed(query.get(name, "0"))
        if name == "seed"
        else _read_number(name, query.get(name))
        for name in names
    }


def _read_seed(text: str) -> np.ndarray:
    if not re.fullmatch(rf"[0-9]{{1,{_MOST_DIGITS}}}", text):
        raise bad_request(
            f"seed must be an integer of at most {_MOST_DIGITS} digits, got {text!r}"
        )
    return np.array([int(text)], np.int64)


def _read_number(name: str, text: str | None) -> np.ndarray:
    number = _NUMBERS[name]
    try:
        value = number.default if text is None else float(text)
    except ValueError:
        value = math.nan
    if not number.least <= value <= number.greatest:
        raise bad_request(
            f"{name} must be a number from {number.least:g} to {number.greatest:g}, "
            f"got {text!r}"
        )
    return np.array([value], np.float32)
