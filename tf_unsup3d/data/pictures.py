"""Picture files of any kind: found, read, cropped and resized.

Nothing here needs TensorFlow: the worker processes of a preparation import this module.
"""

import dataclasses
import hashlib
import io
import os
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tf_unsup3d.errors import UserError

RESOLUTIONS = (8, 16, 32, 64, 128, 256, 512, 1024)

# Only formats that Pillow decodes by itself and that hold pictures (no EPS, no PDF).
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
_LARGEST_FILE = 2**30
_IGNORED_NAMES = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
_BACKDROP = (255, 255, 255, 255)


class BadPictureError(Exception):
    """A file that cannot be used; its message is the reason, without the file name."""


@dataclasses.dataclass(frozen=True)
class SourceFile:
    """A file of a folder or ZIP archive.

    Attributes:
      name: path inside the folder or archive, separated by slashes.
      size: number of bytes.
    """

    name: str
    size: int


def check_resolution(resolution: int) -> None:
    """Refuses a resolution that is not a power of two from 8 to 1024.

    Raises:
      UserError: if `resolution` is not allowed.
    """
    if resolution not in RESOLUTIONS:
        allowed = ", ".join(map(str, RESOLUTIONS))
        raise UserError(
            f"resolution {resolution} is not a power of two from 8 to 1024 ({allowed})"
        )


def printable(name: str) -> str:
    """Returns the file name as text that UTF-8 can hold, on one line."""
    name = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)


def list_files(source: str | os.PathLike) -> list[SourceFile]:
    """Lists the files of a folder, with its sub-folders, or of a ZIP archive.

    Hidden files and folders (a leading dot), `__MACOSX`, `Thumbs.db` and `desktop.ini`
    are left out. Every other file is listed, whatever its name ends with.

    Args:
      source: folder or ZIP archive.

    Returns:
      The files, sorted by name.

    Raises:
      UserError: if the source is missing, unreadable, empty, or neither a folder nor a
        ZIP archive.
    """
    source = Path(source)
    try:
        if source.is_dir():
            files = _list_folder(source)
        elif source.is_file():
            files = _list_archive(source)
        else:
            raise UserError(f"{source} does not exist")
    except OSError as error:
        raise UserError(f"cannot read {source}: {error.strerror or error}") from error
    if not files:
        raise UserError(f"no pictures in {source}: it is empty")
    return sorted(files, key=lambda file: file.name)


def listing_checksum(files: Iterable[SourceFile]) -> str:
    """Returns the SHA-256 of the names and sizes of the files, in hexadecimal."""
    checksum = hashlib.sha256()
    for file in files:
        checksum.update(f"{printable(file.name)}\n{file.size}\n".encode())
    return checksum.hexdigest()


def open_source(source: str | os.PathLike) -> Callable[[str], bytes]:
    """Opens a folder or ZIP archive for reading.

    Args:
      source: folder or ZIP archive that `list_files` accepts.

    Returns:
      A function from the name of a file in it to its content. It raises
      `BadPictureError` for a file that cannot be read. For an archive it must not be
      called by several threads at once.
    """
    source = Path(source)
    if source.is_dir():
        return lambda name: _read_file(source / name)
    archive = zipfile.ZipFile(source)
    return lambda name: _read_member(archive, name)


def load_picture(content: bytes, resolution: int) -> np.ndarray:
    """Decodes a picture file into a square picture.

    The picture is turned upright (EXIF), laid over white where it is transparent,
    cropped to its central square, and resized with an antialiasing Lanczos filter.
    Sixteen bits per channel become eight. Of an animation the first frame is used.

    Args:
      content: the picture file.
      resolution: height and width of the result; a picture whose short side is below
        half of it is refused.

    Returns:
      [resolution, resolution, 3] uint8, RGB.

    Raises:
      BadPictureError: if it is not a picture, damaged, or too small.
    """
    if not content:
        raise BadPictureError("empty file")
    try:
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise BadPictureError("too many pixels") from error
    except Exception as error:
        raise BadPictureError(
            "not a picture in a supported format (JPEG, PNG, WebP, BMP, TIFF, GIF, PPM)"
        ) from error
    smallest = resolution // 2
    if min(image.size) < smallest:
        raise BadPictureError(
            f"too small: {image.width}x{image.height}, the short side must be at least "
            f"{smallest} for resolution {resolution}"
        )
    # Damaged files make the decoders raise almost anything (OSError, SyntaxError,
    # struct.error, ...); whatever it is, the file is what has to be named.
    try:
        image.load()
        image = _to_rgb(ImageOps.exif_transpose(image))
    except BadPictureError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadPictureError(f"damaged: {reason}") from error
    return np.asarray(_resize_centre(image, resolution))


def _list_folder(folder: Path) -> list[SourceFile]:
    def stop(error: OSError) -> None:
        raise UserError(f"cannot read {error.filename}: {error.strerror}")

    files = []
    visited = {folder.resolve()}
    for path, subfolders, names in os.walk(folder, onerror=stop, followlinks=True):
        path = Path(path)
        kept = []
        for name in subfolders:
            target = (path / name).resolve()
            # A link back to a folder above would otherwise never end.
            if not _is_ignored(name) and target not in visited:
                visited.add(target)
                kept.append(name)
        # Sorted, so that of two links to one folder the same one is always followed.
        subfolders[:] = sorted(kept)
        for name in names:
            if not _is_ignored(name):
                file = path / name
                size = file.stat().st_size if file.is_file() else 0
                files.append(SourceFile(file.relative_to(folder).as_posix(), size))
    return files


def _list_archive(archive: Path) -> list[SourceFile]:
    try:
        with zipfile.ZipFile(archive) as opened:
            # A later member replaces an earlier one of the same name, as in unzip.
            members = {m.filename: m for m in opened.infolist() if not m.is_dir()}
    except zipfile.BadZipFile as error:
        raise UserError(
            f"{archive} is neither a folder nor a ZIP archive (or is damaged: {error})"
        ) from error
    return [
        SourceFile(name, member.file_size)
        for name, member in members.items()
        if not any(map(_is_ignored, name.split("/")))
    ]


def _is_ignored(name: str) -> bool:
    return name.startswith(".") or name.lower() in _IGNORED_NAMES


def _read_file(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise BadPictureError("not a regular file, or a broken link")
        if path.stat().st_size > _LARGEST_FILE:
            raise BadPictureError("larger than 1 GiB")
        return path.read_bytes()
    except OSError as error:
        raise BadPictureError(f"cannot be read: {error.strerror or error}") from error


def _read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    member = archive.getinfo(name)
    if member.file_size > _LARGEST_FILE:
        raise BadPictureError("larger than 1 GiB")
    # Encrypted, damaged or unknown compression: zipfile, zlib, bz2 and lzma each raise
    # their own errors.
    try:
        return archive.read(member)
    except Exception as error:
        raise BadPictureError(f"cannot be read from the archive: {error}") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return _sixteen_bits_to_rgb(image)
    if image.mode == "F":
        raise BadPictureError("floating-point pixels, whose range is unknown")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        backdrop = Image.new("RGBA", image.size, _BACKDROP)
        image = Image.alpha_composite(backdrop, image)
    return image.convert("RGB")


def _sixteen_bits_to_rgb(image: Image.Image) -> Image.Image:
    # Pillow's own conversion to 8 bits clips instead of scaling.
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise BadPictureError("more than 16 bits per pixel and channel")
    return Image.fromarray(((values + 128) // 257).astype(np.uint8)).convert("RGB")


def _resize_centre(image: Image.Image, resolution: int) -> Image.Image:
    side = min(image.size)
    left = (image.width - side) // 2
    top = (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side))
    if side == resolution:
        return image
    return image.resize((resolution, resolution), Image.Resampling.LANCZOS)
