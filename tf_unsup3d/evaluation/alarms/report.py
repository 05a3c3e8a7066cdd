"""The report on which objects raise which alarms."""

import dataclasses
from collections.abc import Iterable

import numpy as np

from tf_unsup3d.evaluation.alarms.limits import ALARMS
from tf_unsup3d.evaluation.alarms.values import object_values
from tf_unsup3d.evaluation.report import Report, Settings
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.rendering.scene import Scene


@dataclasses.dataclass(frozen=True)
class Occurrence:
    """The values of one measure over the objects.

    Attributes:
      mean: Mean over the objects.
      least: Smallest value of an object.
      largest: Largest value of an object.
      raised: Number of objects that raise the alarm.
    """

    mean: float
    least: float
    largest: float
    raised: int


@dataclasses.dataclass(frozen=True)
class AlarmReport(Report):
    """The values of all alarms over random objects.

    Attributes:
      objects: Number of objects.
      alarms: Values by the name of the alarm.
    """

    objects: int
    alarms: dict[str, Occurrence]

    def table(self) -> str:
        """The values as text, beside their limits."""
        lines = [
            f"{'':18}{'mean':>8}{'least':>8}{'largest':>9}  {'alarm':12}"
            f"raised by, of {self.objects}"
        ]
        for alarm in ALARMS:
            found = self.alarms[alarm.name]
            limit = f"{'below' if alarm.from_below else 'above'} {alarm.limit:g}"
            lines.append(
                f"{alarm.name:18}{found.mean:8.3f}{found.least:8.3f}"
                f"{found.largest:9.3f}  {limit:12}{found.raised}"
            )
        return "\n".join(lines)


def alarm_report(
    settings: Settings, scenes: Iterable[Scene], renderer: Renderer
) -> AlarmReport:
    """Measures objects one by one.

    Args:
      settings: Settings that the numbers depend on.
      scenes: The objects, in batches.
      renderer: Renderer of the objects.

    Returns:
      The report.
    """
    measured = [object_values(scene, renderer) for scene in scenes]
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
