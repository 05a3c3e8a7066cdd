"""The variables of training: both networks, their optimizers, and the step."""

import keras
import tensorflow as tf

from tf_unsup3d.compat import checkpointable
from tf_unsup3d.trained.configuration import Configuration


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
        self.generator_optimizer = keras.optimizers.Adam(
            settings.generator_rate, beta_1=0.0, beta_2=0.99
        )
        self.discriminator_optimizer = keras.optimizers.Adam(
            settings.discriminator_rate, beta_1=0.0, beta_2=0.99
        )
        self.generator_optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")

    def reset_average(self) -> None:
        """Sets the average to the weights of the generator."""
        self.average.set_weights(self.generator.get_weights())

    def networks(self) -> dict[str, list[tf.Variable]]:
        """Returns the variables of the networks, by name."""
        return {
            "generator": checkpointable(self.generator.variables),
            "average": checkpointable(self.average.variables),
            "discriminator": checkpointable(self.discriminator.variables),
        }

    def checkpoint(self) -> tf.train.Checkpoint:
        """Returns a checkpoint object for all variables."""
        return tf.train.Checkpoint(
            **self.networks(),
            generator_optimizer=checkpointable(self.generator_optimizer.variables),
            discriminator_optimizer=checkpointable(
                self.discriminator_optimizer.variables
            ),
            step=self.step,
        )
