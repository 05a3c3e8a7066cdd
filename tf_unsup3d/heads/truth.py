"""The stored truth about head pictures: depth, normals, mask and viewpoint."""

import dataclasses
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tf_unsup3d.errors import UserError
from tf_unsup3d.files import replacing
from tf_unsup3d.heads.array_file import ArrayFile
from tf_unsup3d.heads.model import HeadModel
from tf_unsup3d.heads.parameters import HeadParameters, coefficients
from tf_unsup3d.heads.render import RenderedHeads

_PICTURE_NAME = re.compile(r"[0-9]{6,}\.png")


@dataclasses.dataclass(frozen=True, eq=False)
class Truth:
    """The truth about some pictures of heads.

    Attributes:
      names: File names of the pictures, without folders.
      depth: [pictures, height, width] float32 z coordinates at the pixel centres,
        measured from the camera; 0 outside the head.
      normals: [pictures, height, width, 3] float32 outward unit normals in camera space
        at the pixel centres; 0 outside the head. None if they were not read.
      mask: [pictures, height, width] bool, true on the head.
      viewpoints: [pictures, 3] float32 (yaw, pitch, roll) in radians.
      coefficients: [pictures, coefficients] float32; see `parameters.coefficients`.
      coefficient_names: Names of the coefficients.
    """

    names: list[str]
    depth: np.ndarray
    normals: np.ndarray | None
    mask: np.ndarray
    viewpoints: np.ndarray
    coefficients: np.ndarray
    coefficient_names: list[str]


def write_truth(
    path: Path,
    names: Sequence[str],
    model: HeadModel,
    heads: Sequence[HeadParameters],
    rendered: Sequence[RenderedHeads],
) -> None:
    """Writes the truth about some pictures to an `.npz` file.

    Args:
      path: The file to write.
      names: File names of the pictures.
      model: The head model.
      heads: The head in each picture.
      rendered: The rendered heads, in batches.

    Raises:
      UserError: If the file cannot be written.
    """
    numbers = [coefficients(head, model) for head in heads]
    with replacing(path) as temporary:
        np.savez_compressed(
            temporary,
            names=np.array(names),
            depth=np.concatenate([part.depth for part in rendered]),
            normals=np.concatenate([part.normals for part in rendered]).astype("f2"),
            mask=np.concatenate([part.mask for part in rendered]),
            viewpoints=np.stack([head.viewpoint for head in heads]),
            coefficients=np.array([list(row.values()) for row in numbers], np.float32),
            coefficient_names=np.array(list(numbers[0])),
        )


def read_truth(paths: Sequence[str | os.PathLike], *, normals: bool = True) -> Truth:
    """Reads files that `write_truth` has written for one split.

    Args:
      paths: The files, at least one.
      normals: Whether to read the normals.

    Returns:
      The truth about the pictures of all files, in order.

    Raises:
      UserError: If a file is damaged, or does not fit the others.
    """
    parts = [_read_file(path, normals) for path in paths]
    first = parts[0]
    for path, part in zip(paths, parts, strict=True):
        if (
            part.depth.shape[1:] != first.depth.shape[1:]
            or part.coefficient_names != first.coefficient_names
        ):
            raise UserError(f"{path} does not belong to the same set as {paths[0]}")

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    return Truth(
        names=[name for part in parts for name in part.names],
        depth=joined("depth"),
        normals=joined("normals") if normals else None,
        mask=joined("mask"),
        viewpoints=joined("viewpoints"),
        coefficients=joined("coefficients"),
        coefficient_names=first.coefficient_names,
    )


def _read_file(path: str | os.PathLike, normals: bool) -> Truth:
    file = ArrayFile(path, leave_out=() if normals else ("normals",))
    depth = file.numbers("depth", None, None, None)
    mask = file.booleans("mask", *depth.shape)
    if not np.all(depth[mask] > 0.0):
        file.fail("depth", "is not positive in the mask")
    pictures = len(depth)
    names = file.strings("names", pictures)
    for name in names:
        if not _PICTURE_NAME.fullmatch(name):
            file.fail("names", f"holds {name!r}, which is not the name of a picture")
    coefficient_names = file.strings("coefficient_names", None)
    return Truth(
        names=names,
        depth=depth,
        normals=file.numbers("normals", *depth.shape, 3) if normals else None,
        mask=mask,
        viewpoints=file.numbers("viewpoints", pictures, 3),
        coefficients=file.numbers("coefficients", pictures, len(coefficient_names)),
        coefficient_names=coefficient_names,
    )
