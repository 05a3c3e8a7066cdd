"""The manifest of a prepared folder, `dataset.json`, and the shards that it lists."""

import concurrent.futures
import dataclasses
import hashlib
import os
import re
from collections.abc import Collection, Iterable

from tf_unsup3d.data.json_value import JsonValue
from tf_unsup3d.data.pictures import check_resolution
from tf_unsup3d.errors import UserError
from tf_unsup3d.files import file_checksum, reading, write_json
from tf_unsup3d.gfile_path import AnyPath, to_path

MANIFEST_NAME = "dataset.json"
# This folder exists inside the prepared folder until the manifest does.
WORK_NAME = ".preparation"
FORMAT_VERSION = 1
# What pictures are aligned by: nothing, or the faces in them.
ALIGNMENTS = ("none", "faces")

# Nothing else, so that a manifest cannot point to files outside its folder.
_SHARD_NAME = re.compile(r"pictures-[0-9]{5,}-of-[0-9]{5,}\.tfrecord")


@dataclasses.dataclass(frozen=True)
class Shard:
    """One TFRecord file.

    Attributes:
      file: Name of the file in the prepared folder.
      count: Number of pictures in the file; 0 if none of its sources could be used.
      sha256: SHA-256 of the file in hexadecimal.
    """

    file: str
    count: int
    sha256: str

    @classmethod
    def from_json(cls, value: JsonValue) -> "Shard":
        """Reads what `dataclasses.asdict` has written.

        Args:
          value: Object with the attributes as its fields.

        Raises:
          UserError: If a field is missing or wrong.
        """
        name = f"the name of a shard such as {shard_name(0, 1)}"
        return cls(
            file=value["file"].matching(_SHARD_NAME, name),
            count=value["count"].integer(),
            sha256=value["sha256"].checksum(),
        )


@dataclasses.dataclass(frozen=True)
class Manifest:
    """The content of `dataset.json`.

    Attributes:
      count: Number of pictures, at least 1.
      resolution: Height and width of each picture in pixels.
      source: Name of the folder or archive that the pictures came from.
      source_checksum: SHA-256 of the names and sizes of the files in the source.
      checksum: SHA-256 of the pixels of all pictures; see `pixels_checksum`.
      skipped: Number of files in the source, or of faces in them, that could not be
        used.
      shards: The TFRecord files in order.
      format_version: Version of the layout of the prepared folder.
      align: What the pictures were aligned by, one of `ALIGNMENTS`.
    """

    count: int
    resolution: int
    source: str
    source_checksum: str
    checksum: str
    skipped: int
    shards: tuple[Shard, ...]
    format_version: int = FORMAT_VERSION
    align: str = "none"


def shard_name(index: int, total: int) -> str:
    """Returns the file name of a shard.

    Args:
      index: Number of the shard, from 0.
      total: Number of shards in the prepared folder.
    """
    return f"pictures-{index:05d}-of-{total:05d}.tfrecord"


def pixels_checksum(picture_checksums: Iterable[str]) -> str:
    """Combines the checksums of many pictures into one.

    Args:
      picture_checksums: SHA-256 in hexadecimal of the pixels of each picture, in order.
        The pixels are [height, width, 3] uint8, hashed row by row.

    Returns:
      The SHA-256 of the concatenated checksums, in hexadecimal.
    """
    checksum = hashlib.sha256()
    for picture_checksum in picture_checksums:
        checksum.update(bytes.fromhex(picture_checksum))
    return checksum.hexdigest()


def write_manifest(folder: AnyPath, manifest: Manifest) -> None:
    """Writes `dataset.json`, which marks a prepared folder as finished.

    Args:
      folder: The prepared folder.
      manifest: The content of the file.

    Raises:
      UserError: If the file cannot be written.
    """
    write_json(folder / MANIFEST_NAME, dataclasses.asdict(manifest))


def read_manifest(folder: str | os.PathLike) -> Manifest:
    """Reads and checks `dataset.json`.

    Args:
      folder: The prepared folder.

    Returns:
      The content of the file. The shards are not opened; see `damaged_shards`.

    Raises:
      UserError: If the file cannot be read, is damaged, or has another format version.
    """
    path = to_path(folder) / MANIFEST_NAME
    remedy = f"delete {folder} and prepare the pictures again"
    values = JsonValue.read(path, remedy=remedy)
    version = values["format_version"].integer()
    if version != FORMAT_VERSION:
        raise UserError(
            f"{path}: format_version is {version}, but this program reads version "
            f"{FORMAT_VERSION}; {remedy}"
        )
    manifest = Manifest(
        count=values["count"].integer(minimum=1),
        resolution=values["resolution"].integer(),
        source=values["source"].text(),
        source_checksum=values["source_checksum"].checksum(),
        checksum=values["checksum"].checksum(),
        skipped=values["skipped"].integer(),
        shards=tuple(Shard.from_json(shard) for shard in values["shards"]),
        # Folders from before there was a choice do not name it.
        align=values["align"].text() if "align" in values.fields() else "none",
    )
    try:
        check_resolution(manifest.resolution)
    except UserError as error:
        raise UserError(f"{path}: {error}; {remedy}") from error
    in_shards = sum(shard.count for shard in manifest.shards)
    if manifest.count != in_shards:
        raise UserError(
            f"{path}: count is {manifest.count}, but the shards hold {in_shards} "
            f"pictures; {remedy}"
        )
    return manifest


def damaged_shards(
    folder: str | os.PathLike, manifest: Manifest, trusted: Collection[Shard] = ()
) -> list[tuple[Shard, str]]:
    """Compares shards with their checksums in the manifest.

    Args:
      folder: The prepared folder.
      manifest: The manifest of that folder.
      trusted: Shards that need not be read; see `verified.recall_intact`.

    Returns:
      Each shard that is not as it was written, and what is wrong with it: "is missing"
      or "is damaged".

    Raises:
      UserError: If a shard cannot be read.
    """
    known = {shard.file for shard in trusted}
    doubtful = [shard for shard in manifest.shards if shard.file not in known]

    def checksum(shard: Shard) -> str | None:
        path = to_path(folder) / shard.file
        with reading(path):
            return file_checksum(path) if path.is_file() else None

    with concurrent.futures.ThreadPoolExecutor() as threads:
        checksums = list(threads.map(checksum, doubtful))
    return [
        (shard, "is missing" if found is None else "is damaged")
        for shard, found in zip(doubtful, checksums, strict=True)
        if found != shard.sha256
    ]
