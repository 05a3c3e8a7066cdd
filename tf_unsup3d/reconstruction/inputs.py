"""Picture files that are to be reconstructed."""

import os
import pathlib
import zipfile
from typing import NamedTuple

import numpy as np

from tf_unsup3d.data.pictures import (
    BadPictureError,
    list_files,
    load_picture,
    open_source,
    printable,
)
from tf_unsup3d.errors import UserError


class NamedPicture(NamedTuple):
    """A picture and the file that it comes from.

    Attributes:
      name: Name of the file inside the folder or archive.
      stem: What the names of the files made of it begin with; no two pictures share it.
      picture: `[resolution, resolution, 3]` uint8.
    """

    name: str
    stem: str
    picture: np.ndarray


def read_pictures(
    source: str | os.PathLike, resolution: int
) -> tuple[list[NamedPicture], dict[str, str]]:
    """Reads pictures, cropped to their central squares.

    Args:
      source: A picture file, a folder, or a ZIP archive.
      resolution: Height and width of the results in pixels.

    Returns:
      The pictures in the order of their names, and the reasons why other files were
      skipped by their names.

    Raises:
      UserError: There is no picture.
    """
    source = pathlib.Path(source)
    if source.is_file() and not zipfile.is_zipfile(source):
        folder, names = source.parent, [source.name]
    else:
        folder, names = source, [file.name for file in list_files(source)]
    read = open_source(folder)
    pictures: list[NamedPicture] = []
    skipped: dict[str, str] = {}
    stems: set[str] = set()
    for name in names:
        try:
            picture = load_picture(read(name), resolution)
        except BadPictureError as error:
            skipped[printable(name)] = str(error)
            continue
        stem = _unused(pathlib.PurePath(printable(name)).with_suffix(""), stems)
        stems.add(stem)
        pictures.append(NamedPicture(printable(name), stem, picture))
    if not pictures:
        name, reason = next(iter(skipped.items()))
        others = f", and {len(skipped) - 1} more" if len(skipped) > 1 else ""
        raise UserError(f"no pictures in {source}: {name}: {reason}{others}")
    return pictures, skipped


def _unused(path: pathlib.PurePath, stems: set[str]) -> str:
    """A file name for a path without suffix, other than those in use."""
    stem = "_".join(path.parts)
    number, chosen = 1, stem
    while chosen in stems:
        number += 1
        chosen = f"{stem}_{number}"
    return chosen
