"""The mapping network: latent vectors to styles."""

import keras
import tensorflow as tf

from tf_unsup3d.models.layers import EqualizedDense, leaky_relu


@keras.saving.register_keras_serializable(package="tf_unsup3d")
class Mapping(keras.layers.Layer):
    """StyleGAN's mapping network (Karras et al. 2019).

    Args:
      style_size: channels of every layer and of the style.
      depth: number of layers.
    """

    def __init__(self, style_size: int = 128, depth: int = 4, **kwargs):
        super().__init__(**kwargs)
        self.style_size = style_size
        self.depth = depth
        self.layers = [
            EqualizedDense(style_size, learning_rate_multiplier=0.01)
            for _ in range(depth)
        ]

    def build(self, input_shape):
        size = input_shape[-1]
        for layer in self.layers:
            layer.build([None, size])
            size = self.style_size
        self.built = True

    def call(self, latents):
        """[batch, latent_size] to [batch, style_size]."""
        mean_square = tf.reduce_mean(tf.square(latents), -1, keepdims=True)
        outputs = latents * tf.math.rsqrt(mean_square + 1e-8)
        for layer in self.layers:
            outputs = leaky_relu(layer(outputs))
        return outputs

    def get_config(self):
        return {
            **super().get_config(),
            "style_size": self.style_size,
            "depth": self.depth,
        }
