"""Measures how many of a model's objects raise which alarms."""

from tf_unsup3d.evaluation.alarms.report import AlarmReport, alarm_report
from tf_unsup3d.evaluation.random_batches import random_batches
from tf_unsup3d.evaluation.report import describe_model
from tf_unsup3d.trained.trained_model import TrainedModel

OBJECTS = 64


def measure_alarms(model: TrainedModel, *, seed: int = 0) -> AlarmReport:
    """Measures random objects of a model in everything that alarms are about.

    Args:
      model: The model.
      seed: Seed of all random numbers.

    Returns:
      The report.
    """
    batches = random_batches(model, OBJECTS, seed=seed, name="alarms")
    return alarm_report(
        describe_model(model, seed), (batch.scene for batch in batches), model.renderer
    )
