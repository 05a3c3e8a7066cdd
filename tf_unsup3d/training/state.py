"""The variables of training: both networks, their optimizers, and the step."""

import math
import pathlib
import zlib

import keras
import tensorflow as tf

from tf_unsup3d.compat import checkpointable
from tf_unsup3d.trained.checkpoints import (
    Checkpoint,
    restore_checkpoint,
    write_checkpoint,
)
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.training.guard import check_variables


class TrainingState:
    """All variables that a training step changes and a checkpoint holds.

    If the state is created in the scope of a `tf.distribute.Strategy`, its variables
    are mirrored on the devices of the strategy.

    Args:
      configuration: The configuration of the run.

    Attributes:
      generator: The generator that is trained.
      average: The moving average of the generator, which gives better pictures.
      discriminator: The discriminator.
      generator_optimizer: The Adam optimizer of the generator.
      discriminator_optimizer: The Adam optimizer of the discriminator.
      step: `[]` int64, the number of steps trained so far.
      r1: `[]` float32, the last gradient penalty; NaN before the first one.
      rate_factor: `[]` float32, what divergence has multiplied the configured learning
        rates by.
      best: `[]` float32, the smallest value of `Trainer.best_metric` so far, infinite
        before the first one.

    Raises:
      UserError: Parameters of the models do not fit together.
    """

    def __init__(self, configuration: Configuration):
        settings = configuration.training
        # Keras draws initial weights from its global random number generator.
        keras.utils.set_random_seed(settings.seed)
        self.generator = configuration.make_generator()
        self.average = configuration.make_generator("average")
        self.discriminator = configuration.make_discriminator()
        self.reset_average()
        self.generator_optimizer = _adam(settings.generator_rate)
        self.discriminator_optimizer = _adam(settings.discriminator_rate)
        self.generator_optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self.r1 = tf.Variable(math.nan, trainable=False, name="r1")
        self.rate_factor = tf.Variable(1.0, trainable=False, name="rate_factor")
        self.best = tf.Variable(math.inf, trainable=False, name="best")
        # A number, since checkpoints hold no texts.
        self._metric = zlib.crc32(settings.best_metric.encode())
        self._best_of = tf.Variable(self._metric, trainable=False, dtype=tf.int64)
        self._settings = settings

    def reset_average(self) -> None:
        """Sets the average to the weights of the generator."""
        self.average.set_weights(self.generator.get_weights())

    @property
    def present_rate_factor(self) -> float:
        """The factor on the configured learning rates in the next step."""
        factor = float(self.rate_factor.numpy())
        settings = self._settings
        if settings.rate_decay:
            seen = int(self.step.numpy()) * settings.batch_size
            factor *= settings.rate_decay.factor(seen)
        return factor

    def rates(self) -> dict[str, float]:
        """Returns the learning rates in the next step, by name."""
        settings, factor = self._settings, self.present_rate_factor
        return {
            "generator_rate": factor * settings.generator_rate,
            "discriminator_rate": factor * settings.discriminator_rate,
        }

    def set_rates(self) -> None:
        """Sets the learning rates of the optimizers to those of the next step."""
        rates = self.rates()
        self.generator_optimizer.learning_rate = rates["generator_rate"]
        self.discriminator_optimizer.learning_rate = rates["discriminator_rate"]

    def networks(self) -> dict[str, list[tf.Variable]]:
        """Returns the variables of the networks, by name."""
        return {
            "generator": checkpointable(self.generator.variables),
            "average": checkpointable(self.average.variables),
            "discriminator": checkpointable(self.discriminator.variables),
        }

    def optimizers(self) -> dict[str, list[tf.Variable]]:
        """Returns the variables of the optimizers, by name."""
        return {
            "generator_optimizer": checkpointable(self.generator_optimizer.variables),
            "discriminator_optimizer": checkpointable(
                self.discriminator_optimizer.variables
            ),
        }

    def check_finite(self) -> None:
        """Makes sure that all variables are finite, or raises a `NotFiniteError`."""
        for part, values in {**self.networks(), **self.optimizers()}.items():
            check_variables(part, values)

    def save(self, path: pathlib.Path) -> None:
        """Writes a checkpoint of all variables.

        Args:
          path: Path of the file.

        Raises:
          UserError: The file cannot be written.
        """
        variables = {**self.networks(), **self.optimizers()}
        write_checkpoint(path, {**variables, "step": self.step, **self._since()})

    def restore(self, checkpoint: Checkpoint) -> None:
        """Restores all variables from a checkpoint, but for the learning rates.

        Args:
          checkpoint: The checkpoint.

        Raises:
          DamagedCheckpointError: The checkpoint is damaged.
          UserError: It does not fit the configuration, or cannot be read.
        """
        self.r1.assign(math.nan)
        self.rate_factor.assign(1.0)
        self.best.assign(math.inf)
        self._best_of.assign(self._metric)
        variables = {**self.networks(), **self.optimizers(), "step": self.step}
        restore_checkpoint(checkpoint, variables, self._since())
        if self._best_of.numpy() != self._metric:
            # Values of different metrics cannot be compared.
            self.best.assign(math.inf)
            self._best_of.assign(self._metric)
        # Those of the checkpoint may differ from those that are configured now.
        self.set_rates()

    def recall_best(self, checkpoint: Checkpoint) -> None:
        """Restores only how good the best checkpoint is, if none was better so far.

        Args:
          checkpoint: The best checkpoint.

        Raises:
          DamagedCheckpointError: The checkpoint is damaged.
          UserError: It cannot be read.
        """
        best = tf.Variable(math.inf)
        metric = tf.Variable(-1, dtype=tf.int64)
        restore_checkpoint(checkpoint, {}, {"best": best, "best_of": metric})
        if metric.numpy() == self._metric:
            self.best.assign(tf.minimum(self.best, best))

    def _since(self) -> dict[str, tf.Variable]:
        """The variables that older checkpoints do not hold."""
        return {
            "r1": self.r1,
            "rate_factor": self.rate_factor,
            "best": self.best,
            "best_of": self._best_of,
        }


def _adam(rate: float) -> keras.optimizers.Optimizer:
    return keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.99)
