"""The TFRecord shards of a preparation, and the notes about those already written."""

import dataclasses
import os
from collections.abc import Iterable

from tf_unsup3d.data.json_value import JsonValue
from tf_unsup3d.data.manifest import WORK_NAME, Shard
from tf_unsup3d.data.workers import Outcome
from tf_unsup3d.errors import UserError
from tf_unsup3d.files import (
    file_checksum,
    local_companion,
    remove_folder,
    replacing,
    write_json,
)
from tf_unsup3d.gfile_path import AnyPath


@dataclasses.dataclass(frozen=True)
class FinishedShard:
    """A written shard, with what `dataset.json` and `skipped.csv` need of it.

    Attributes:
      shard: The file.
      checksums: SHA-256 in hexadecimal of the pixels of each picture in the shard.
      skipped: Name of each file that could not be used, and the reason. A file of
        which some faces cannot be used is named for each of them.
      faces: Where the face in each picture was, as the cells of `faces_table`; empty
        without a search for faces.
    """

    shard: Shard
    checksums: list[str]
    skipped: list[tuple[str, str]]
    faces: list[tuple[str, ...]]


def write_shard(
    output: AnyPath,
    name: str,
    outcomes: Iterable[Outcome],
    *,
    expected: Shard | None = None,
) -> Shard:
    """Writes a shard, and then the note that it is finished.

    Args:
      output: The prepared folder.
      name: File name of the shard.
      outcomes: What became of the files that belong to the shard, or of their faces.
      expected: What the shard was before it was damaged, if it is written again.

    Returns:
      The shard.

    Raises:
      UserError: If the shard cannot be written, or would not become what is expected;
        it then stays as it is.
    """
    # Not at the top, because the worker processes import this module; see `workers`.
    import tensorflow as tf

    checksums, skipped, faces = [], [], []
    with replacing(output / name) as temporary:
        try:
            with tf.io.TFRecordWriter(os.fspath(temporary)) as records:
                for outcome in outcomes:
                    if outcome.reason:
                        skipped.append((outcome.name, outcome.reason))
                    else:
                        checksums.append(outcome.checksum)
                        if outcome.face:
                            faces.append(outcome.face)
                        records.write(_record(outcome))
        except tf.errors.OpError as error:
            raise OSError(error.message) from error
        shard = Shard(name, len(checksums), file_checksum(temporary))
        if expected not in (None, shard):
            raise UserError(
                f"{output / name} is damaged, and what was prepared again differs from "
                f"what it held; delete {output} and prepare the pictures again"
            )
    finished = FinishedShard(shard, checksums, skipped, faces)
    write_json(_note_path(output, name), dataclasses.asdict(finished))
    return shard


def is_finished(output: AnyPath, name: str) -> bool:
    """Looks for a shard that an earlier, stopped preparation has finished.

    Args:
      output: The prepared folder.
      name: File name of the shard.

    Returns:
      Whether it is there. If not, the shard or its note is missing or damaged, so that
      both have to be written again.
    """
    try:
        finished = read_note(output, name)
        checksum = file_checksum(output / name)
    except UserError:
        return False
    return finished.shard == Shard(name, len(finished.checksums), checksum)


def read_note(output: AnyPath, name: str) -> FinishedShard:
    """Reads the note about a finished shard.

    Args:
      output: The prepared folder.
      name: File name of the shard.

    Returns:
      The finished shard, whose file is not read.

    Raises:
      UserError: If the note is missing or damaged.
    """
    note = JsonValue.read(_note_path(output, name), remedy="prepare the pictures again")
    return FinishedShard(
        shard=Shard.from_json(note["shard"]),
        checksums=[checksum.checksum() for checksum in note["checksums"]],
        skipped=[_skipped_file(file) for file in note["skipped"]],
        faces=[tuple(cell.text() for cell in row) for row in note["faces"]],
    )


def remove_notes(output: AnyPath) -> None:
    """Removes the notes of a preparation, and those of its worker processes.

    Args:
      output: The prepared folder.

    Raises:
      OSError: If they cannot be removed.
    """
    for folder in (output, local_companion(output)):
        remove_folder(folder / WORK_NAME)


def _note_path(output: AnyPath, shard_name: str) -> AnyPath:
    return output / WORK_NAME / f"{shard_name}.json"


def _record(outcome: Outcome) -> bytes:
    import tensorflow as tf

    def feature(value: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    features = {"picture": feature(outcome.png), "name": feature(outcome.name.encode())}
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)


def _skipped_file(values: JsonValue) -> tuple[str, str]:
    """Name of a file and the reason why it was skipped, or a `UserError`."""
    texts = [value.text() for value in values]
    if len(texts) != 2:
        raise UserError("a skipped file has a name and a reason")
    return texts[0], texts[1]
