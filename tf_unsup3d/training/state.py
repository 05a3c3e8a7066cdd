"""The variables of training: both players, their optimizers, and the step."""

import keras
import tensorflow as tf

from tf_unsup3d.compat import checkpointable
from tf_unsup3d.trained.configuration import Configuration


class TrainingState:
    """Everything that a step of training changes, and that a checkpoint holds.

    Made under the scope of a `tf.distribute.Strategy`, the variables are mirrored on
    its devices.

    Args:
      configuration: The parameters of the run.

    Attributes:
      generator: The generator that is trained.
      average: Its moving average, which draws better.
      discriminator: The discriminator.
      generator_optimizer: Adam of the generator.
      discriminator_optimizer: Adam of the discriminator.
      step: `[]` int64, the number of steps made so far.

    Raises:
      UserError: Parameters of the models do not fit together.
    """

    def __init__(self, configuration: Configuration):
        settings = configuration.training
        # Keras draws the initial weights from its global generator.
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
        """Makes the average equal to the generator."""
        self.average.set_weights(self.generator.get_weights())

    def networks(self) -> dict[str, list[tf.Variable]]:
        """The variables of the networks, by name."""
        return {
            "generator": checkpointable(self.generator.variables),
            "average": checkpointable(self.average.variables),
            "discriminator": checkpointable(self.discriminator.variables),
        }

    def checkpoint(self) -> tf.train.Checkpoint:
        """A checkpoint of all variables."""
        return tf.train.Checkpoint(
            **self.networks(),
            generator_optimizer=checkpointable(self.generator_optimizer.variables),
            discriminator_optimizer=checkpointable(
                self.discriminator_optimizer.variables
            ),
            step=self.step,
        )
