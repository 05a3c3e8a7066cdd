"""Notes on which file each worker process is reading, which survive its death."""

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from tf_unsup3d.data.pictures import printable
from tf_unsup3d.errors import UserError
from tf_unsup3d.files import read_json, write_json

# The first time, it may have been another program that took the memory.
_FATAL_KILLS = 2


def note_reading(folder: Path, name: str) -> None:
    """Notes, in a worker process, the file that it reads next.

    Args:
      folder: Folder of the notes.
      name: Name of the file in the source.
    """
    _note(folder, os.getpid()).write_text(json.dumps(name), encoding="utf-8")


class ReadingNotes:
    """The notes of all workers, and the files that workers were killed on.

    Args:
      folder: Folder of the notes. Those of earlier workers are removed.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._killed_path = folder / "killed.json"
        for path in folder.glob("reading-*"):
            path.unlink()

    def fatal_names(self) -> frozenset[str]:
        """Returns the names of the files that workers were killed on repeatedly."""
        return frozenset(
            name for name, kills in self._kills().items() if kills >= _FATAL_KILLS
        )

    def note_killed(self, workers: Iterable[int]) -> list[str]:
        """Notes that workers were killed.

        Args:
          workers: Their process numbers.

        Returns:
          The printable names of the files that they were reading.
        """
        kills, names = self._kills(), []
        for worker in workers:
            path = _note(self._folder, worker)
            # A note is empty if the worker was killed while it wrote.
            with contextlib.suppress(FileNotFoundError, ValueError):
                name = json.loads(path.read_text(encoding="utf-8"))
                kills[name] = kills.get(name, 0) + 1
                names.append(printable(name))
        write_json(self._killed_path, kills)
        return names

    def _kills(self) -> dict[str, int]:
        """Number of workers that were killed on each file."""
        try:
            found = read_json(self._killed_path)
        except UserError:
            return {}
        return {name: kills for name, kills in found.items() if isinstance(kills, int)}


def _note(folder: Path, worker: int) -> Path:
    return folder / f"reading-{worker}"
