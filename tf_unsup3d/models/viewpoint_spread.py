"""A learned factor for the spread of the viewpoints."""

import math
from collections.abc import Sequence

import keras
import tensorflow as tf

# Logarithm of the largest factor; that of the smallest is its negative.
_LIMIT = math.log(4.0)
# From viewpoints that vary too much, training comes to the right ones, but not from
# those that vary too little. So the factors begin above what may be a fair guess.
_FIRST = 2.0


@keras.saving.register_keras_serializable(package="tf_unsup3d")
class ViewpointSpread(keras.layers.Layer):
    """Factors by which yaw, pitch and roll are scaled, which begin at 2.

    Viewpoints are random numbers times a spread (the reparameterisation of Kingma and
    Welling 2014), so the factors get the generator's gradient through the renderer:
    pictures whose viewpoints vary too little or too much can be told from photographs.
    The factors stay between a quarter and four.
    """

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Creates the weights."""
        del input_shape
        first = keras.initializers.Constant(
            _LIMIT * math.atanh(math.log(_FIRST) / _LIMIT)
        )
        self.weight = self.add_weight(
            name="weight", shape=(3,), initializer=first, dtype=tf.float32
        )
        self.built = True

    def reset(self) -> None:
        """Makes the factors 1, for a generator that was trained without them."""
        self.weight.assign(tf.zeros_like(self.weight))

    def call(self, viewpoints: tf.Tensor) -> tf.Tensor:
        """Scales viewpoints.

        Args:
          viewpoints: `[..., 3]` float32 (yaw, pitch, roll).

        Returns:
          `[..., 3]` float32.
        """
        weight = tf.cast(self.weight, tf.float32)
        return viewpoints * tf.exp(_LIMIT * tf.tanh(weight / _LIMIT))
