"""What a prepared folder holds: `dataset.json` and the shards that it names."""

import concurrent.futures
import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from tf_unsup3d.errors import UserError

MANIFEST_NAME = "dataset.json"
# Exists in the prepared folder until the manifest does.
WORK_NAME = ".preparation"
FORMAT_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Shard:
    """One TFRecord file.

    Attributes:
      file: its name in the prepared folder.
      count: number of pictures in it.
      sha256: SHA-256 of the file, in hexadecimal.
    """

    file: str
    count: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class Manifest:
    """The content of `dataset.json`.

    Attributes:
      count: number of pictures.
      resolution: height and width of each picture.
      source: name of the folder or archive that they came from.
      source_checksum: SHA-256 of the names and sizes of the files in the source.
      checksum: SHA-256 of the pictures' pixels, see `pixels_checksum`.
      skipped: number of files in the source that could not be used.
      shards: the TFRecord files, in order.
      format_version: version of the layout of the prepared folder.
    """

    count: int
    resolution: int
    source: str
    source_checksum: str
    checksum: str
    skipped: int
    shards: tuple[Shard, ...]
    format_version: int = FORMAT_VERSION


def pixels_checksum(picture_checksums: Iterable[str]) -> str:
    """Returns one checksum of many pictures, in hexadecimal.

    Args:
      picture_checksums: SHA-256 of the pixels ([height, width, 3] uint8, row by row) of
        each picture in order, in hexadecimal.
    """
    checksum = hashlib.sha256()
    for picture_checksum in picture_checksums:
        checksum.update(bytes.fromhex(picture_checksum))
    return checksum.hexdigest()


def write_json(path: Path, value: dict) -> None:
    """Writes a JSON file that is either whole or absent, whenever the program ends."""
    temporary = path.with_name(path.name + ".partial")
    temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def file_checksum(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes `dataset.json`, which makes a prepared folder a finished one."""
    write_json(folder / MANIFEST_NAME, dataclasses.asdict(manifest))


def read_manifest(folder: str | os.PathLike) -> Manifest:
    """Reads `dataset.json`.

    Args:
      folder: prepared folder.

    Returns:
      Its content. The shards are not looked at, see `check_shards`.

    Raises:
      UserError: if the file is unreadable, damaged or of another version.
    """
    path = Path(folder) / MANIFEST_NAME
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        version = values["format_version"]
        if version == FORMAT_VERSION:
            shards = tuple(Shard(**shard) for shard in values.pop("shards"))
            manifest = Manifest(shards=shards, **values)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{path} is damaged; prepare the pictures again") from error
    if version != FORMAT_VERSION:
        raise UserError(
            f"{path} has format version {version}, this program reads "
            f"{FORMAT_VERSION}; prepare the pictures again"
        )
    if manifest.count != sum(shard.count for shard in manifest.shards):
        raise UserError(
            f"{path} is damaged: it counts {manifest.count} pictures, its shards "
            f"{sum(shard.count for shard in manifest.shards)}; "
            "prepare the pictures again"
        )
    return manifest


def check_shards(folder: str | os.PathLike, manifest: Manifest) -> None:
    """Compares every shard with the checksum in the manifest.

    Args:
      folder: prepared folder.
      manifest: its manifest.

    Raises:
      UserError: naming the first shard that is missing or damaged.
    """
    paths = [Path(folder) / shard.file for shard in manifest.shards]

    def checksum(path: Path) -> str | None:
        return file_checksum(path) if path.is_file() else None

    try:
        with concurrent.futures.ThreadPoolExecutor() as threads:
            checksums = list(threads.map(checksum, paths))
    except OSError as error:
        raise UserError(f"cannot read {error.filename}: {error.strerror}") from error
    for path, shard, found in zip(paths, manifest.shards, checksums, strict=True):
        if found != shard.sha256:
            fault = "is missing" if found is None else "is damaged (wrong checksum)"
            raise UserError(f"{path} {fault}; prepare the pictures again")
