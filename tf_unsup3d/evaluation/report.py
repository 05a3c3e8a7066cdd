"""What all measurements of a trained model report."""

import dataclasses
import json

from tf_unsup3d.trained.trained_model import TrainedModel

Settings = dict[str, str | int | bool | None]


@dataclasses.dataclass(frozen=True)
class Report:
    """Numbers, and what they depend on.

    Attributes:
      settings: What the numbers depend on, by name.
    """

    settings: Settings

    def to_json(self) -> str:
        """All of it as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    def table(self) -> str:
        """The numbers as text."""
        raise NotImplementedError


def describe_model(model: TrainedModel, seed: int) -> Settings:
    """Settings that every measure depends on.

    Args:
      model: The model that is measured.
      seed: Seed of everything random in the measurement.

    Returns:
      The settings by name.
    """
    return {
        "step": model.step,
        "viewpoints": f"drawn from p_v, {model.viewpoints}",
        "resolution": model.resolution,
        "seed": seed,
    }
