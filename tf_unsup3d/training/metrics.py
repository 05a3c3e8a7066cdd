"""The record of a run: one JSON object a line."""

import json
import os
import pathlib


class MetricsLog:
    """Appends to `metrics.jsonl`; lines of steps that a resumed run repeats go.

    Args:
      path: of the file.
      step: the last step that counts.
    """

    def __init__(self, path: pathlib.Path, step: int):
        self._path = path
        kept = []
        if path.exists():
            for line in path.read_text().splitlines():
                try:
                    if json.loads(line)["step"] <= step:
                        kept.append(line + "\n")
                except json.JSONDecodeError:
                    break  # a killed run's half line
            temporary = path.with_suffix(".tmp")
            temporary.write_text("".join(kept))
            os.replace(temporary, path)

    def write(self, step: int, values: dict[str, float]) -> None:
        """Appends the values at a step."""
        with self._path.open("a") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
