"""Style-modulated synthesis of pictures and maps at growing resolutions."""

import math

import keras
import tensorflow as tf

from tf_unsup3d.models.layers import ModulatedConv, leaky_relu, upsample

_REGISTER = keras.saving.register_keras_serializable(package="tf_unsup3d")


def resolutions(final: int) -> list[int]:
    """4, 8, ... `final`."""
    return [2**level for level in range(2, final.bit_length())]


@_REGISTER
class StyledBlock(keras.layers.Layer):
    """Two modulated convolutions, each with noise of a learned strength.

    Args:
      filters: output channels.
      noise: whether noise is added.
    """

    def __init__(self, filters: int, noise: bool, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.noise = noise
        self.convolutions = [ModulatedConv(filters) for _ in range(2)]

    def build(self, input_shape, style_shape=None):
        for convolution in self.convolutions:
            convolution.build(input_shape, style_shape)
            input_shape = [*input_shape[:-1], self.filters]
        if self.noise:
            self.strengths = self.add_weight(
                name="noise_strengths", shape=[2], initializer="zeros"
            )
        self.built = True

    def call(self, inputs, style, noise_seed=None):
        """[batch, height, width, channels], [batch, style_size] and [2] integer."""
        for index, convolution in enumerate(self.convolutions):
            inputs = convolution(inputs, style)
            if self.noise and noise_seed is not None:
                shape = tf.concat([tf.shape(inputs)[:3], [1]], 0)
                seed = noise_seed + [index, inputs.shape[1]]
                noise = tf.random.stateless_normal(shape, seed)
                inputs += self.strengths[index] * noise
            inputs = leaky_relu(inputs)
        return inputs

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "noise": self.noise,
        }


@_REGISTER
class Synthesis(keras.layers.Layer):
    """A picture as the sum of pictures at growing resolutions, and shape maps.

    Noise enters only above the finest shape map, so that it never moves the surface.

    Args:
      resolution: of the picture, a power of two of at least 4.
      shape_resolution: of the finest shape map; 0 makes none.
      channel_base: channels at a resolution are this divided by it,
      channel_max: but at most this many.
    """

    def __init__(
        self,
        resolution: int,
        shape_resolution: int = 0,
        channel_base: int = 1024,
        channel_max: int = 128,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._config = dict(
            resolution=resolution,
            shape_resolution=shape_resolution,
            channel_base=channel_base,
            channel_max=channel_max,
        )
        self.sizes = resolutions(resolution)
        self.shape_resolution = shape_resolution
        self.channels = [min(channel_max, channel_base // size) for size in self.sizes]
        self.blocks = [
            StyledBlock(channels, noise=size > shape_resolution)
            for channels, size in zip(self.channels, self.sizes, strict=True)
        ]
        self.to_colour = [ModulatedConv(3, 1, demodulate=False) for _ in self.sizes]
        self.to_shape = [
            ModulatedConv(3, 1, demodulate=False)
            for size in self.sizes
            if size <= shape_resolution
        ]

    def build(self, input_shape):
        self.start = self.add_weight(
            name="start",
            shape=[1, 4, 4, self.channels[0]],
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )
        previous = self.channels[0]
        for level, (size, channels) in enumerate(
            zip(self.sizes, self.channels, strict=True)
        ):
            self.blocks[level].build([None, size, size, previous], input_shape)
            self.to_colour[level].build([None, size, size, channels], input_shape)
            if level < len(self.to_shape):
                self.to_shape[level].build([None, size, size, channels], input_shape)
            previous = channels
        self.built = True

    def call(self, style, noise_seed=None):
        """Makes a picture and its shape maps.

        Args:
          style: [batch, style_size].
          noise_seed: [2] integer, or None for no noise.

        Returns:
          [batch, resolution, resolution, 3] and a list of maps
          [batch, size, size, 3], size = 4, 8, ..., shape_resolution.
        """
        inputs = tf.repeat(self.start, tf.shape(style)[0], axis=0)
        picture, maps = None, []
        for level, block in enumerate(self.blocks):
            if level > 0:
                inputs = upsample(inputs)
            inputs = block(inputs, style, noise_seed)
            colour = self.to_colour[level](inputs, style)
            picture = colour if picture is None else upsample(picture) + colour
            if level < len(self.to_shape):
                maps.append(self.to_shape[level](inputs, style))
        # Each level starts with unit variance, and so does their sum.
        return picture / math.sqrt(len(self.blocks)), maps

    def get_config(self):
        return {**super().get_config(), **self._config}
