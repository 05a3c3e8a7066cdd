"""Writes the damaged shards of a prepared folder again."""

import contextlib
import itertools
from collections.abc import Sequence

from tqdm import tqdm

from tf_unsup3d.data import manifest as manifests
from tf_unsup3d.data import shards, workers
from tf_unsup3d.errors import UserError
from tf_unsup3d.files import local_companion, remove_leftovers
from tf_unsup3d.gfile_path import AnyPath


def mend_shards(
    source: AnyPath,
    output: AnyPath,
    manifest: manifests.Manifest,
    chunks: Sequence[Sequence[str]],
) -> None:
    """Writes the shards that were damaged or deleted since they were prepared.

    Args:
      source: Folder or ZIP archive that the pictures came from.
      output: The prepared folder, which no other program may be writing to.
      manifest: The manifest of that folder.
      chunks: Names of the files in the source, for each shard.

    Raises:
      UserError: If the shards would not become what they were.
    """
    sources = {
        manifests.shard_name(index, len(chunks)): chunk
        for index, chunk in enumerate(chunks)
    }
    damaged = [shard for shard, _ in manifests.damaged_shards(output, manifest)]
    for shard in damaged:
        if shard.file not in sources:
            raise UserError(
                f"{output / shard.file} is damaged, and was prepared with another "
                f"number of pictures per shard; delete {output} and prepare the "
                "pictures again"
            )
    remove_leftovers(output)
    wanted = [sources[shard.file] for shard in damaged]
    with (
        tqdm(total=sum(map(len, wanted)), unit="picture", desc="mending") as bar,
        workers.prepare_chunks(
            source,
            manifest.resolution,
            manifest.align,
            wanted,
            local_companion(output) / manifests.WORK_NAME,
        ) as results,
    ):
        for shard, files in zip(damaged, results, strict=True):
            made = list(files)
            bar.update(len(made))
            outcomes = itertools.chain.from_iterable(made)
            shards.write_shard(output, shard.file, outcomes, expected=shard)
    with contextlib.suppress(OSError):
        shards.remove_notes(output)
