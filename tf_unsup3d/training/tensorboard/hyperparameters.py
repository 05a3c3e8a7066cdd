"""The configuration of a run in TensorBoard's table of hyperparameters."""

import hashlib
import pathlib

import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from tf_unsup3d.evaluation.alarms.limits import ALARMS
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.gin_files import format_value
from tf_unsup3d.training.tensorboard.tags import tag

# What the table shows beside the parameters: the last value of each.
_SCORES = (
    *(f"alarm/{alarm.name}" for alarm in ALARMS),
    *map(tag, ("generator_loss", "discriminator_loss", "r1", "folding")),
)


def write_hyperparameters(
    folder: pathlib.Path, step: int, configuration: Configuration
) -> None:
    """Writes the parameters of a run, and their text, by `tf.summary`'s default writer.

    Args:
      folder: Folder of the run.
      step: The step at which they begin to hold.
      configuration: The configuration of the run.
    """
    values = {
        name: value
        if isinstance(value, bool | int | float | str)
        else format_value(value)
        for name, value in configuration.parameters().items()
    }
    best = configuration.training.best_metric
    scores = [*_SCORES, *([best] if best and best not in _SCORES else [])]
    hparams.hparams_config(
        hparams=[hparams.HParam(name) for name in values],
        metrics=[hparams.Metric(score) for score in scores],
    )
    # Runs of the same name are told apart by their place. Without a name of its own, a
    # run would share its row with all runs of the same configuration.
    place = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()
    hparams.hparams(values, trial_id=f"{folder.name}-{place[:6]}")
    text = configuration.to_gin()
    tf.summary.text("configuration/gin", f"```\n{text}\n```", step=step)
