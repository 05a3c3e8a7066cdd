"""What all measurements of a generator report."""

import dataclasses
import json


@dataclasses.dataclass(frozen=True)
class Report:
    """Numbers and what they depend on.

    Attributes:
      settings: what the numbers depend on, by name.
    """

    settings: dict[str, str | int | bool]

    def to_json(self) -> str:
        """All of it as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"
