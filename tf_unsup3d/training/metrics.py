"""The log of a run: one JSON object per line."""

import json
import os
import pathlib

from tf_unsup3d.files import reading, write_text, writing


class MetricsLog:
    """Appends to `metrics.jsonl`, without the steps that a resumed run repeats.

    Args:
      path: Path of the file.
      step: Step from which the run continues. Records of later steps are removed.

    Raises:
      UserError: The file cannot be read or written.
    """

    def __init__(self, path: pathlib.Path, step: int):
        self._path = path
        kept = []
        if path.exists():
            with reading(path):
                text = path.read_text(encoding="utf-8", errors="replace")
            for line in text.splitlines():
                try:
                    if json.loads(line)["step"] <= step:
                        kept.append(line + "\n")
                except (ValueError, TypeError, KeyError):
                    continue  # A run was killed while it wrote this line.
            write_text(path, "".join(kept))

    def write(self, step: int, values: dict[str, float]) -> None:
        """Appends the record of a step, or raises a `UserError` if it cannot."""
        with writing(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
            # A checkpoint of this step must not be on the disk before its record.
            file.flush()
            os.fsync(file.fileno())
