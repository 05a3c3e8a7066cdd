"""Finds, reads, crops and resizes picture files.

This module does not import TensorFlow, because the worker processes of a preparation
import it.
"""

import dataclasses
import errno
import hashlib
import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tf_unsup3d.errors import UserError
from tf_unsup3d.files import is_passing, reading
from tf_unsup3d.gfile_path import AnyPath, GFilePath, to_path

RESOLUTIONS = (8, 16, 32, 64, 128, 256, 512, 1024)

# Picture formats that Pillow decodes without other programs (unlike EPS or PDF).
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
_LARGEST_FILE = 2**30
# Decoding takes up to 16 bytes of memory per pixel. Cameras make up to 60 million.
_MOST_PIXELS = 2**26
# Members of archives are unpacked from pieces of this size.
_PIECE_BYTES = 2**12
# Number of rows of a picture that are converted at once.
_BAND_ROWS = 256
_IGNORED_NAMES = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
_BACKDROP = (255, 255, 255, 255)


class BadPictureError(Exception):
    """A file cannot be used; the message is the reason, without the file name."""


@dataclasses.dataclass(frozen=True)
class SourceFile:
    """A file in a folder or ZIP archive.

    Attributes:
      name: Path inside the folder or archive, separated by slashes.
      size: Size of the file in bytes.
    """

    name: str
    size: int


def check_resolution(resolution: int) -> None:
    """Checks that a resolution is a power of two from 8 to 1024.

    Args:
      resolution: Height and width of a picture in pixels.

    Raises:
      UserError: If the resolution is not allowed.
    """
    if resolution not in RESOLUTIONS:
        allowed = ", ".join(map(str, RESOLUTIONS))
        raise UserError(
            f"resolution {resolution} is not a power of two from 8 to 1024 ({allowed})"
        )


def printable(name: str) -> str:
    """Makes a file name printable.

    Args:
      name: File name with any characters.

    Returns:
      The name on one line and encodable in UTF-8, with escapes where necessary.
    """
    name = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)


def list_files(source: str | os.PathLike) -> list[SourceFile]:
    """Lists the files of a folder and its sub-folders, or of a ZIP archive.

    Hidden files and folders (whose names begin with a dot), `__MACOSX`, `Thumbs.db` and
    `desktop.ini` are left out. All other files are listed, whatever their suffix.

    Args:
      source: Folder or ZIP archive.

    Returns:
      The files, sorted by name.

    Raises:
      UserError: If the source is missing, unreadable, empty, or neither a folder nor a
        ZIP archive.
    """
    source = to_path(source)
    with reading(source):
        if source.is_dir():
            files = _list_folder(source)
        elif source.is_file():
            files = _list_archive(source)
        elif source.exists():
            raise UserError(f"{source} is neither a folder nor a file")
        else:
            raise UserError(f"{source} does not exist")
    if not files:
        raise UserError(f"no pictures in {source}: it is empty")
    return sorted(files, key=lambda file: file.name)


def listing_checksum(files: Iterable[SourceFile]) -> str:
    """Computes a checksum of a list of files, without reading the files.

    Args:
      files: The files in order.

    Returns:
      The SHA-256 of their names and sizes, in hexadecimal.
    """
    checksum = hashlib.sha256()
    for file in files:
        checksum.update(f"{printable(file.name)}\n{file.size}\n".encode())
    return checksum.hexdigest()


def open_source(source: str | os.PathLike) -> Callable[[str], bytes]:
    """Opens a folder or ZIP archive for reading.

    Args:
      source: Folder or ZIP archive that `list_files` accepts.

    Returns:
      A function that takes the name of a file in the source and returns the content of
      the file. It raises `BadPictureError` for a file that cannot be read, and
      `UserError` where that may pass, as when a network is down. For an archive it must
      not be called by several threads at once.
    """
    source = to_path(source)
    if source.is_dir():
        return lambda name: _read_file(source / name)
    archive = zipfile.ZipFile(source.open("rb"))
    return lambda name: _read_member(archive, name, source)


def load_picture(content: bytes, resolution: int) -> np.ndarray:
    """Decodes a picture file into a square picture.

    The picture is turned upright according to its EXIF data, placed on white where it
    is transparent, cropped to its central square, and resized with an antialiasing
    Lanczos filter. Sixteen bits per channel are reduced to eight. Only the first frame
    of an animation is used.

    Args:
      content: Content of the picture file.
      resolution: Height and width of the result in pixels. A picture whose shorter side
        is less than half of this is refused.

    Returns:
      [resolution, resolution, 3] uint8 RGB values.

    Raises:
      BadPictureError: If the content is not a picture, is damaged, or is too small, or
        if its header announces more than 2^26 pixels.
    """
    image = _open(content)
    smallest = resolution // 2
    if min(image.size) < smallest:
        raise BadPictureError(
            f"too small: {image.width}x{image.height}, the short side must be at least "
            f"{smallest} for resolution {resolution}"
        )
    return np.asarray(_resize(_decode(image, crop=_crop_centre), resolution))


def load_whole_picture(content: bytes) -> Image.Image:
    """Decodes a picture file as `load_picture` does, without cropping or resizing.

    Args:
      content: Content of the picture file.

    Returns:
      The picture, upright and in RGB.

    Raises:
      BadPictureError: If the content is not a picture or is damaged, or if its header
        announces more than 2^26 pixels.
    """
    return _decode(_open(content))


def _open(content: bytes) -> Image.Image:
    """Reads the header of a picture file."""
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
    if image.width * image.height > _MOST_PIXELS:
        raise BadPictureError(
            f"too many pixels: {image.width}x{image.height}, at most 64 megapixels "
            f"({_MOST_PIXELS}) are decoded"
        )
    return image


def _decode(
    image: Image.Image, crop: Callable[[Image.Image], Image.Image] | None = None
) -> Image.Image:
    """Decodes an opened picture file, upright and in RGB."""
    # On damaged files, the decoders raise almost any exception (OSError, SyntaxError,
    # struct.error, ...).
    try:
        image.load()
        upright = _upright(image)
        return _to_rgb(crop(upright) if crop else upright)
    except (BadPictureError, MemoryError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadPictureError(f"damaged: {reason}") from error


def _upright(image: Image.Image) -> Image.Image:
    """Turns a picture as its EXIF data say, unless they cannot be read."""
    try:
        return ImageOps.exif_transpose(image)
    except MemoryError:
        raise
    # Viewers show such pictures, too. Pillow raises almost any exception here.
    except Exception:
        return image


def _list_folder(folder: AnyPath) -> list[SourceFile]:
    if isinstance(folder, GFilePath):
        return _list_gfile_folder(folder)

    def stop(error: OSError) -> None:
        with reading(error.filename):
            raise error

    files = []
    visited = {folder.resolve()}
    for parent, subfolders, names in os.walk(folder, onerror=stop, followlinks=True):
        path = Path(parent)
        kept = []
        for name in subfolders:
            target = (path / name).resolve()
            # Otherwise a link to a parent folder would be followed for ever.
            if not _is_ignored(name) and target not in visited:
                visited.add(target)
                kept.append(name)
        # Sorted so that the choice among several links to one folder is repeatable.
        subfolders[:] = sorted(kept)
        for name in names:
            if not _is_ignored(name):
                file = path / name
                relative = file.relative_to(folder).as_posix()
                files.append(SourceFile(relative, _file_size(file)))
    return files


def _list_gfile_folder(folder: GFilePath) -> list[SourceFile]:
    files = []
    for parent, names in folder.walk():
        inside = str(parent)[len(str(folder)) :].lstrip("/")
        for name in names:
            relative = f"{inside}/{name}" if inside else name
            if not any(map(_is_ignored, relative.split("/"))):
                files.append(SourceFile(relative, (parent / name).stat().st_size))
    return files


def _file_size(path: Path) -> int:
    """Size of a regular file; 0 for whatever else, which is refused as it is read."""
    try:
        found = path.stat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _list_archive(archive: AnyPath) -> list[SourceFile]:
    try:
        with archive.open("rb") as file, zipfile.ZipFile(file) as opened:
            # As in unzip, a later member replaces an earlier one of the same name.
            members = {m.filename: m for m in opened.infolist() if m.filename}
    except OSError:
        raise
    # On damaged archives, zipfile raises other exceptions than its own, too.
    except Exception as error:
        raise UserError(
            f"{archive} is neither a folder nor a ZIP archive (or is damaged: {error})"
        ) from error
    return [
        SourceFile(name, member.file_size)
        for name, member in members.items()
        if not member.is_dir() and not any(map(_is_ignored, name.split("/")))
    ]


def _is_ignored(name: str) -> bool:
    return name.startswith(".") or name.lower() in _IGNORED_NAMES


def _read_file(path: AnyPath) -> bytes:
    try:
        # Opening a pipe would wait for somebody to write to it.
        if not path.is_file():
            raise BadPictureError("not a regular file, or a broken link")
        size = path.stat().st_size
        if size > _LARGEST_FILE:
            raise BadPictureError("larger than 1 GiB")
        with path.open("rb") as file:
            # Files of the system have no size, and some of them never end.
            return file.read(size)
    except OSError as error:
        _check_lasting(error, path)
        reason = error.strerror or str(error)
        raise BadPictureError(f"cannot be read: {reason}") from error


def _check_lasting(error: OSError, path: AnyPath) -> None:
    """Raises a `UserError` where a failure to read may pass."""
    remote = not isinstance(path, Path)
    if is_passing(error) or (remote and error.errno == errno.EIO):
        reason = error.strerror or str(error)
        raise UserError(
            f"cannot read {path}: {reason}; run the same command again to continue"
        ) from error


def _read_member(archive: zipfile.ZipFile, name: str, source: AnyPath) -> bytes:
    try:
        member = archive.getinfo(name)
    except KeyError as error:
        # Not its fault: the archive has been replaced since its files were listed.
        raise UserError(f"{printable(name)} is no longer in the archive") from error
    if member.file_size > _LARGEST_FILE:
        raise BadPictureError("larger than 1 GiB")
    # For encrypted or damaged members and unknown compression, zipfile, zlib, bz2 and
    # lzma each raise exceptions of their own.
    try:
        with archive.open(member) as file:
            # All at once, more would be unpacked than the header admits to.
            return b"".join(iter(lambda: file.read(_PIECE_BYTES), b""))
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(error, OSError):
            _check_lasting(error, source)
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadPictureError(f"cannot be read from the archive: {reason}") from error


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
    # Pillow's conversion to 8 bits clips instead of scaling.
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise BadPictureError("more than 16 bits per pixel and channel")
    grey = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), _BAND_ROWS):
        band = slice(start, start + _BAND_ROWS)
        grey[band] = (values[band].astype(np.int32) + 128) // 257
    return Image.fromarray(grey).convert("RGB")


def _crop_centre(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left = (image.width - side) // 2
    top = (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _resize(image: Image.Image, resolution: int) -> Image.Image:
    if image.width == resolution:
        return image
    return image.resize((resolution, resolution), Image.Resampling.LANCZOS)
