"""Which of a model's objects raise which alarms."""

import dataclasses
from collections.abc import Iterable

import numpy as np

from tf_unsup3d.evaluation.alarms.measure import ALARMS, measure_objects
from tf_unsup3d.evaluation.report import Report, describe_model
from tf_unsup3d.evaluation.samples import random_batches
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.trained_model import TrainedModel

# Number of objects that are measured.
OBJECTS = 64


@dataclasses.dataclass(frozen=True)
class Occurrence:
    """How the objects do in one measure.

    Attributes:
      mean: over the objects.
      least: of all objects.
      largest: of all objects.
      raised: how many objects are beyond the limit.
    """

    mean: float
    least: float
    largest: float
    raised: int


@dataclasses.dataclass(frozen=True)
class AlarmReport(Report):
    """Every alarm's measure, object by object.

    Attributes:
      objects: how many were measured.
      alarms: by name.
    """

    objects: int
    alarms: dict[str, Occurrence]

    def table(self) -> str:
        """The measures as text, beside their limits."""
        lines = [
            f"{'':16}{'mean':>8}{'least':>8}{'largest':>9}  {'alarm':12}"
            f"raised by, of {self.objects}"
        ]
        for alarm in ALARMS:
            found = self.alarms[alarm.name]
            limit = f"{'below' if alarm.from_below else 'above'} {alarm.limit:g}"
            lines.append(
                f"{alarm.name:16}{found.mean:8.3f}{found.least:8.3f}"
                f"{found.largest:9.3f}  {limit:12}{found.raised}"
            )
        return "\n".join(lines)


def alarm_report(
    settings: dict[str, str | int | bool], scenes: Iterable[Scene], renderer
) -> AlarmReport:
    """Measures objects one by one.

    Args:
      settings: what the numbers depend on, by name.
      scenes: that hold the objects.
      renderer: that draws them.

    Returns:
      The report.
    """
    measured = [measure_objects(scene, renderer) for scene in scenes]
    alarms = {}
    for alarm in ALARMS:
        values = np.concatenate([part[alarm.name] for part in measured])
        alarms[alarm.name] = Occurrence(
            mean=float(values.mean()),
            least=float(values.min()),
            largest=float(values.max()),
            raised=sum(alarm.raised_by(value) for value in values.tolist()),
        )
    return AlarmReport(settings, len(values), alarms)


def count_alarms(model: TrainedModel, *, seed: int = 0) -> AlarmReport:
    """Measures random objects of a model in everything that alarms are about.

    Args:
      model: The model.
      seed: Seed of everything random.

    Returns:
      The report.
    """
    batches = random_batches(model, OBJECTS, seed=seed, name="alarms")
    return alarm_report(
        describe_model(model, seed), (batch.scene for batch in batches), model.renderer
    )
