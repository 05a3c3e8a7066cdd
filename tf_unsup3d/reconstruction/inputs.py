"""Picture files that are to be reconstructed."""

import os
import pathlib
import zipfile
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from tf_unsup3d.data.face_detection import FaceDetector
from tf_unsup3d.data.pictures import (
    BadPictureError,
    list_files,
    load_picture,
    load_whole_picture,
    open_source,
    printable,
)
from tf_unsup3d.data.portraits import cut_out_portraits
from tf_unsup3d.errors import UserError

# Longest stem in bytes of UTF-8. File systems take names of 255; number and suffix
# follow.
_LONGEST_STEM = 200


class NamedPicture(NamedTuple):
    """A picture and the file that it comes from.

    Attributes:
      name: Name of the file inside the folder or archive, with "#2" and so on after it
        for further faces in a photograph.
      stem: What the names of the files made of it begin with; no two pictures share it.
      picture: `[resolution, resolution, 3]` uint8.
    """

    name: str
    stem: str
    picture: np.ndarray


def read_pictures(
    source: str | os.PathLike, resolution: int, detector: FaceDetector | None = None
) -> tuple[list[NamedPicture], dict[str, str]]:
    """Reads pictures, cropped to their central squares or aligned by faces.

    Args:
      source: A picture file, a folder, or a ZIP archive.
      resolution: Height and width of the results in pixels.
      detector: Finds the faces that are cut out of photographs as in the data set FFHQ,
        each of them a picture. None takes the central square of each file.

    Returns:
      The pictures in the order of their names, and the reasons why other files or faces
      were skipped by their names.

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
    for file in tqdm(names, desc="pictures", unit="file", disable=None):
        try:
            found = _load(read(file), resolution, detector)
        except BadPictureError as error:
            skipped[printable(file)] = str(error)
            continue
        for number, picture in enumerate(found, start=1):
            name = printable(file) + (f"#{number}" if number > 1 else "")
            if isinstance(picture, str):
                skipped[name] = picture
                continue
            stem = _unused(pathlib.PurePath(printable(file)), number, stems)
            stems.add(stem)
            pictures.append(NamedPicture(name, stem, picture))
    if not pictures:
        name, reason = next(iter(skipped.items()))
        others = f", and {len(skipped) - 1} more" if len(skipped) > 1 else ""
        raise UserError(f"no pictures in {source}: {name}: {reason}{others}")
    return pictures, skipped


def check_output(source: str | os.PathLike, output: str | os.PathLike) -> None:
    """Checks that what is written does not get among the pictures that are read.

    Args:
      source: See `read_pictures`.
      output: Folder to write to.

    Raises:
      UserError: The folder is that of the pictures, or in it.
    """
    source, folder = pathlib.Path(source).resolve(), pathlib.Path(output).resolve()
    if source.is_dir():
        among = folder.is_relative_to(source)
    else:
        among = folder == source.parent and not zipfile.is_zipfile(source)
    if among:
        raise UserError(
            f"--output: {output} is where the pictures of --input lie, which could be "
            "overwritten; name another folder"
        )


def _load(
    content: bytes, resolution: int, detector: FaceDetector | None
) -> list[np.ndarray | str]:
    """The pictures in a file; in the place of one that is of no use, the reason."""
    if detector is None:
        return [load_picture(content, resolution)]
    photograph = load_whole_picture(content)
    return [
        portrait.reason if portrait.pixels is None else portrait.pixels
        for portrait in cut_out_portraits(photograph, resolution, detector)
    ]


def _unused(path: pathlib.PurePath, number: int, stems: set[str]) -> str:
    """A file name, without suffix, other than those in use.

    Args:
      path: Path of the file that a picture comes from.
      number: Number of the picture in that file, from 1.
      stems: The file names in use.

    Returns:
      The name. It ends in the number of the picture if that is not 1 and the name is
      not in use.
    """
    # Members of archives may have absolute names, and an absolute name would lead out
    # of the folder that it is joined to.
    relative = path.relative_to(path.anchor).with_suffix("")
    stem = "_".join(relative.parts).encode()[:_LONGEST_STEM].decode(errors="ignore")
    chosen = stem if number == 1 else f"{stem}_{number}"
    while chosen in stems:
        number += 1
        chosen = f"{stem}_{number}"
    return chosen
