"""What the report of every metric has in common."""

import abc
import dataclasses
import json

import numpy as np

from tf_unsup3d.files import without_nan
from tf_unsup3d.models.precision import convolution_dtype
from tf_unsup3d.trained.trained_model import TrainedModel

Settings = dict[str, str | int | bool | None]


@dataclasses.dataclass(frozen=True)
class Report(abc.ABC):
    """Numbers, the settings they depend on, and a picture if there is one.

    Attributes:
      settings: Everything the numbers depend on, by name.
      sheet: `[height, width, 3]` uint8, a picture of what was measured, or None. It is
        not part of the JSON.
    """

    settings: Settings
    sheet: np.ndarray | None = dataclasses.field(
        default=None, kw_only=True, repr=False, compare=False
    )

    def to_json(self) -> str:
        """Everything but the sheet as JSON, with null where nothing was measured."""
        values = dataclasses.asdict(self)
        del values["sheet"]
        return json.dumps(without_nan(values), indent=2, allow_nan=False) + "\n"

    @abc.abstractmethod
    def table(self) -> str:
        """The numbers as a table in plain text."""


def describe_model(model: TrainedModel, seed: int) -> Settings:
    """Collects the settings that every metric depends on.

    Args:
      model: The model that is measured.
      seed: Seed of all random numbers of the measurement.

    Returns:
      The settings by name.
    """
    return {
        "step": model.step,
        "viewpoints": f"drawn from p_v, {model.viewpoints}",
        "resolution": model.resolution,
        # Of this machine, whatever the model was trained in.
        "convolutions": convolution_dtype("auto").name,
        "seed": seed,
    }
