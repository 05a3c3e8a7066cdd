"""The mapping network, which turns latent vectors into styles."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_unsup3d.models.layers import EqualizedDense, leaky_relu


@keras.saving.register_keras_serializable(package="tf_unsup3d")
class Mapping(keras.layers.Layer):
    """The mapping network of StyleGAN (Karras et al. 2019, section 2).

    Latent vectors are first scaled to a root mean square of 1. The dense layers learn
    at a hundredth of the rate of the other layers, as in StyleGAN (Karras et al. 2019,
    appendix C), because training is unstable otherwise.

    Args:
      style_size: Number of channels of every layer, and so the length of the styles.
      depth: Number of dense layers.
    """

    def __init__(self, style_size: int, depth: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.style_size = style_size
        self.depth = depth
        self.layers = [
            EqualizedDense(style_size, learning_rate_multiplier=0.01)
            for _ in range(depth)
        ]

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Creates the weights."""
        size = input_shape[-1]
        for layer in self.layers:
            layer.build([None, size])
            size = self.style_size
        self.built = True

    def call(self, latents: tf.Tensor) -> tf.Tensor:
        """Computes styles.

        Args:
          latents: `[batch, latent_size]`.

        Returns:
          `[batch, style_size]`.
        """
        mean_square = tf.reduce_mean(tf.square(latents), -1, keepdims=True)
        outputs = latents * tf.math.rsqrt(mean_square + 1e-8)
        for layer in self.layers:
            outputs = leaky_relu(layer(outputs))
        return outputs

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments by name."""
        return {
            **super().get_config(),
            "style_size": self.style_size,
            "depth": self.depth,
        }
