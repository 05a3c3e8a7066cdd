"""What is left of the damaged shards of a prepared folder."""

import dataclasses
import os
import struct
from collections.abc import Collection, Iterator

import numpy as np
import tensorflow as tf

from tf_unsup3d.data import manifest as manifests
from tf_unsup3d.data.manifest import Manifest, Shard
from tf_unsup3d.files import reading
from tf_unsup3d.gfile_path import AnyPath, to_path

# A TFRecord file frames each record by its length, a checksum of the length, and a
# checksum of the record.
_HEADER = struct.Struct("<QI")
_FOOTER_BYTES = 4


@dataclasses.dataclass(frozen=True)
class DamagedShard:
    """A shard that is not as it was written.

    Attributes:
      shard: The shard as the manifest describes it.
      fault: What is wrong with it: "is missing" or "is damaged".
      intact: The records in it that can still be used.
    """

    shard: Shard
    fault: str
    intact: list[bytes]

    @property
    def lost(self) -> int:
        """Number of its pictures that cannot be used."""
        return self.shard.count - len(self.intact)

    def describe(self, folder: str | os.PathLike) -> str:
        """Says in a line which shard of a folder this is and what it lacks."""
        path = to_path(folder) / self.shard.file
        return f"{path} {self.fault}: {self.lost} of {self.shard.count} pictures lost"


def find_damage(
    folder: AnyPath, manifest: Manifest, trusted: Collection[Shard] = ()
) -> list[DamagedShard]:
    """Finds the damaged shards of a prepared folder.

    Args:
      folder: The prepared folder.
      manifest: The manifest of that folder.
      trusted: Shards that need not be read; see `verified.recall_intact`.

    Returns:
      The damaged shards, with the records that are left in them.

    Raises:
      UserError: If a shard cannot be read.
    """
    damaged = []
    for shard, fault in manifests.damaged_shards(folder, manifest, trusted):
        path = folder / shard.file
        intact = []
        if path.is_file():
            with reading(path):
                content = path.read_bytes()
            found = _intact_records(content, manifest.resolution)
            # More than there were would be copies, which somebody else has added.
            intact = list(found)[: shard.count]
        damaged.append(DamagedShard(shard, fault, intact))
    return damaged


def write_records(path: AnyPath, records: list[bytes]) -> None:
    """Writes a TFRecord file.

    Args:
      path: The file.
      records: Its records in order.
    """
    with tf.io.TFRecordWriter(os.fspath(path)) as writer:
        for record in records:
            writer.write(record)


def decode_record(record: tf.Tensor | bytes, resolution: int) -> tf.Tensor:
    """Decodes the picture of a record.

    Args:
      record: `[]` string, a `tf.train.Example` as `shards.write_shard` writes it.
      resolution: Height and width of the picture in pixels.

    Returns:
      `[resolution, resolution, 3]` uint8.

    Raises:
      tf.errors.InvalidArgumentError: If the record holds no such picture.
    """
    features = {"picture": tf.io.FixedLenFeature([], tf.string)}
    example = tf.io.parse_single_example(record, features)
    picture = tf.io.decode_png(example["picture"], channels=3)
    return tf.ensure_shape(picture, [resolution, resolution, 3])


def _intact_records(content: bytes, resolution: int) -> Iterator[bytes]:
    start = 0
    while start + _HEADER.size <= len(content):
        length, _ = _HEADER.unpack_from(content, start)
        start += _HEADER.size
        record = content[start : start + length]
        start += length + _FOOTER_BYTES
        if start > len(content):
            return
        if _can_be_decoded(record, resolution):
            yield record


def _can_be_decoded(record: bytes, resolution: int) -> bool:
    try:
        return np.ndim(decode_record(record, resolution)) == 3
    except (tf.errors.InvalidArgumentError, ValueError):
        return False
