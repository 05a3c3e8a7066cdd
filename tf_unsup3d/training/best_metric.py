"""The metrics by which the best model of a run can be kept."""

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.alarms.limits import ALARMS

ALARM_GROUP = "alarm/"
KERNEL_DISTANCE = "score/kid"
# What is the better the smaller it is.
_BEST_METRICS = [
    KERNEL_DISTANCE,
    *(f"{ALARM_GROUP}{alarm.name}" for alarm in ALARMS if not alarm.from_below),
]


def check_best_metric(name: str) -> None:
    """Checks that a metric is measured in training.

    Args:
      name: Name of the metric, or "" for none.

    Raises:
      UserError: It is not measured, or not the better the smaller it is.
    """
    if name not in {"", *_BEST_METRICS}:
        raise UserError(
            f"Trainer.best_metric: {name!r} is none of {', '.join(_BEST_METRICS)}"
        )
