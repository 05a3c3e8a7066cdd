"""Style-modulated synthesis of pictures and shape maps, from coarse to fine."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_unsup3d.models.batch_part import WHOLE_BATCH, BatchPart
from tf_unsup3d.models.layers import ModulatedConv, leaky_relu, upsample

_REGISTER = keras.saving.register_keras_serializable(package="tf_unsup3d")


def resolutions(final: int) -> list[int]:
    """Lists the resolutions from 4 to `final`, each twice the previous one."""
    return [2**level for level in range(2, final.bit_length())]


def channel_counts(
    sizes: Sequence[int], base: int, largest: int, smallest: int = 1
) -> list[int]:
    """Computes the numbers of channels of the levels of a network.

    Args:
      sizes: Resolution of each level.
      base: Number of channels at a resolution, times that resolution.
      largest: Largest number of channels of a level.
      smallest: Smallest number of channels of a level.

    Returns:
      The number of channels of each level.
    """
    return [max(smallest, min(largest, base // size)) for size in sizes]


@_REGISTER
class StyledBlock(keras.layers.Layer):
    """Two modulated convolutions, each with noise of a learned strength.

    This is a level of StyleGAN2's synthesis network (Karras et al. 2020, section 2.1).
    The strengths begin at 0.

    Args:
      filters: Number of output channels.
      noise: Whether noise may be added.
    """

    def __init__(self, filters: int, noise: bool, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters = filters
        self.noise = noise
        self.convolutions = [ModulatedConv(filters) for _ in range(2)]

    def build(
        self,
        input_shape: Sequence[int | None],
        style_shape: Sequence[int | None] | None = None,
    ) -> None:
        """Creates the weights."""
        for convolution in self.convolutions:
            convolution.build(input_shape, style_shape)
            input_shape = [*input_shape[:-1], self.filters]
        if self.noise:
            self.strengths = self.add_weight(
                name="noise_strengths", shape=[2], initializer="zeros"
            )
        self.built = True

    def call(
        self,
        inputs: tf.Tensor,
        style: tf.Tensor,
        noise_seed: tf.Tensor | None = None,
        part: BatchPart = WHOLE_BATCH,
    ) -> tf.Tensor:
        """Computes the outputs.

        Args:
          inputs: `[batch, height, width, channels]` of known height and width.
          style: `[batch, style_size]`.
          noise_seed: `[2]` integer seed of the noise, or None for no noise.
          part: The part that the inputs are of the batch whose noise has this seed.

        Returns:
          `[batch, height, width, filters]`.
        """
        for index, convolution in enumerate(self.convolutions):
            inputs = convolution(inputs, style)
            if self.noise and noise_seed is not None:
                shape = tf.concat([tf.shape(inputs)[:3], [1]], 0)
                if part.count > 1:
                    shape *= [part.count, 1, 1, 1]
                seed = noise_seed + [index, inputs.shape[1]]
                noise = part.of(tf.random.stateless_normal(shape, seed))
                inputs += self.strengths[index] * noise
            inputs = leaky_relu(inputs)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments by name."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "noise": self.noise,
        }


@_REGISTER
class Synthesis(keras.layers.Layer):
    """Synthesises a picture and shape maps from styles.

    The picture is the sum of pictures of growing resolution (the skip generator of
    Karras et al. 2020, section 4.1). The shape maps come from the coarse levels of the
    same network, so that shape and texture fit together. Noise enters only at the
    levels above the finest shape map, so that it never moves the surface.

    Args:
      resolution: Height and width of the picture in pixels, a power of two of at least
        4.
      shape_resolution: Height and width of the finest shape map, a power of two; 0 for
        no shape maps.
      channel_base: See `channel_counts`.
      channel_max: See `channel_counts`.
      channel_min: See `channel_counts`.
    """

    def __init__(
        self,
        resolution: int,
        shape_resolution: int,
        channel_base: int,
        channel_max: int,
        channel_min: int = 1,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self._config: dict[str, Any] = dict(
            resolution=resolution,
            shape_resolution=shape_resolution,
            channel_base=channel_base,
            channel_max=channel_max,
            channel_min=channel_min,
        )
        self.sizes = resolutions(resolution)
        self.channels = channel_counts(
            self.sizes, channel_base, channel_max, channel_min
        )
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

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Creates the weights."""
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

    def call(
        self,
        style: tf.Tensor,
        noise_seed: tf.Tensor | None = None,
        part: BatchPart = WHOLE_BATCH,
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Synthesises a picture and its shape maps.

        Args:
          style: `[batch, style_size]`, or `[batch, levels, style_size]` with a style
            for each level, where levels beyond those of this network are ignored.
          noise_seed: `[2]` integer seed of the noise, or None for no noise.
          part: The part that the styles are of the batch whose noise has this seed.

        Returns:
          picture: `[batch, resolution, resolution, 3]`, of any range.
          maps: `[batch, size, size, 3]` for each size of 4, 8, ...,
            `shape_resolution`.
        """
        inputs = tf.repeat(self.start, tf.shape(style)[0], axis=0)
        colours, maps = [], []
        for level, block in enumerate(self.blocks):
            if level > 0:
                inputs = upsample(inputs)
            own_style = style[:, level] if style.shape.rank == 3 else style
            inputs = block(inputs, own_style, noise_seed, part=part)
            colours.append(self.to_colour[level](inputs, own_style))
            if level < len(self.to_shape):
                maps.append(self.to_shape[level](inputs, own_style))
        picture = colours[0]
        for colour in colours[1:]:
            picture = upsample(picture) + colour
        # Each level starts with unit variance, and so does their sum.
        return picture / math.sqrt(len(colours)), maps

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments by name."""
        return {**super().get_config(), **self._config}
