"""Which shards are known to be intact, so that training need not read them to start.

The file `verified.json` in a prepared folder holds the size and the time of the last
change of each shard that has just been written, or was read since. Whoever copies the
folder without these times loses nothing but this knowledge.
"""

import contextlib
from collections.abc import Iterable

from tf_unsup3d.data.manifest import Shard
from tf_unsup3d.errors import UserError
from tf_unsup3d.files import read_json, write_json
from tf_unsup3d.gfile_path import AnyPath

VERIFIED_NAME = "verified.json"


def remember_intact(folder: AnyPath, shards: Iterable[Shard]) -> None:
    """Notes that shards are intact, and that others are not known to be.

    A folder that cannot be written is left as it is.

    Args:
      folder: The prepared folder.
      shards: The shards whose files are as the manifest describes them.
    """
    with contextlib.suppress(UserError, OSError):
        found = {shard.file: _state(folder, shard) for shard in shards}
        write_json(folder / VERIFIED_NAME, found)


def recall_intact(folder: AnyPath, shards: Iterable[Shard]) -> list[Shard]:
    """Finds the shards that have not changed since they were noted as intact.

    Args:
      folder: The prepared folder.
      shards: The shards that its manifest describes.

    Returns:
      Those known to be intact.
    """
    try:
        found = read_json(folder / VERIFIED_NAME)
    except UserError:
        return []
    intact = []
    for shard in shards:
        with contextlib.suppress(OSError):
            if found.get(shard.file) == _state(folder, shard):
                intact.append(shard)
    return intact


def forget_intact(folder: AnyPath) -> None:
    """Makes the next program read all shards before it uses them.

    Args:
      folder: The prepared folder.
    """
    with contextlib.suppress(OSError):
        (folder / VERIFIED_NAME).unlink(missing_ok=True)


def _state(folder: AnyPath, shard: Shard) -> dict[str, str | int]:
    """What changes when a file is written, with the checksum that it has."""
    found = (folder / shard.file).stat()
    if not found.st_mtime_ns:
        raise OSError(f"the file system of {folder} keeps no times")
    return {
        "sha256": shard.sha256,
        "bytes": found.st_size,
        "changed_nanoseconds": found.st_mtime_ns,
    }
