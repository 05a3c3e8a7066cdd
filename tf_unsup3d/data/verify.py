"""Verifies a prepared folder to the last pixel."""

import hashlib
import os
from collections.abc import Iterator

import tensorflow as tf

from tf_unsup3d.data import manifest as manifests
from tf_unsup3d.data import salvage
from tf_unsup3d.errors import UserError
from tf_unsup3d.gfile_path import AnyPath, to_path


def verify_pictures(folder: str | os.PathLike) -> manifests.Manifest:
    """Reads and decodes all pictures of a prepared folder.

    Args:
      folder: The prepared folder.

    Returns:
      Its manifest, which describes it truthfully.

    Raises:
      UserError: The folder was not prepared to the end, or anything in it is not as it
        was written. The message names the first shard that is damaged.
    """
    folder = to_path(folder)
    if not (folder / manifests.MANIFEST_NAME).exists():
        raise UserError(f"{folder} holds no finished preparation")
    manifest = manifests.read_manifest(folder)
    damage = salvage.find_damage(folder, manifest)
    if damage:
        others = f", and {len(damage) - 1} more shards" if len(damage) > 1 else ""
        raise UserError(
            f"{damage[0].describe(folder)}{others}; run the same unsup3d-prepare-data "
            "again to mend it"
        )
    if manifests.pixels_checksum(_checksums(folder, manifest)) != manifest.checksum:
        raise UserError(
            f"{folder / manifests.MANIFEST_NAME} describes other pictures than the "
            f"shards hold; delete {folder} and prepare the pictures again"
        )
    return manifest


def _checksums(folder: AnyPath, manifest: manifests.Manifest) -> Iterator[str]:
    """Yields the SHA-256 of the pixels of each picture."""
    files = [os.fspath(folder / shard.file) for shard in manifest.shards]
    pictures = tf.data.TFRecordDataset(files).map(
        lambda record: salvage.decode_record(record, manifest.resolution),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    try:
        for pixels in pictures.as_numpy_iterator():
            yield hashlib.sha256(pixels.tobytes()).hexdigest()
    except tf.errors.OpError as error:
        raise UserError(
            f"{folder} cannot be read: {' '.join(error.message.split())}"
        ) from error
