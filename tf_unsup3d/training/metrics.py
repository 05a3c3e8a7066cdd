"""The log of a run: one JSON object per line."""

import json
import pathlib

from tf_unsup3d.files import write_text


class MetricsLog:
    """Appends to `metrics.jsonl`, without the steps that a resumed run repeats.

    Args:
      path: Path of the file.
      step: Step from which the run continues. Records of later steps are removed.
    """

    def __init__(self, path: pathlib.Path, step: int):
        self._path = path
        kept = []
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    if json.loads(line)["step"] <= step:
                        kept.append(line + "\n")
                except json.JSONDecodeError:
                    break  # A run was killed while it wrote this line.
            write_text(path, "".join(kept))

    def write(self, step: int, values: dict[str, float]) -> None:
        """Appends the record of a step."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
