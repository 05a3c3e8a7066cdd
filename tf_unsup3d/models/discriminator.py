"""The discriminator: pictures to realism scores."""

import math

import keras
import tensorflow as tf

from tf_unsup3d.models.checks import check_range, check_resolution
from tf_unsup3d.models.layers import (
    EqualizedConv,
    EqualizedDense,
    downsample,
    leaky_relu,
)
from tf_unsup3d.models.synthesis import resolutions


def minibatch_deviation(inputs: tf.Tensor, group_size: int) -> tf.Tensor:
    """Appends the mean standard deviation within groups (Karras et al. 2018).

    Args:
      inputs: [batch, height, width, channels].
      group_size: samples of a group; the whole batch where it does not divide it.

    Returns:
      [batch, height, width, channels + 1].
    """
    batch = tf.shape(inputs)[0]
    size = tf.where(batch % group_size == 0, group_size, batch)
    groups = tf.reshape(inputs, [size, -1, *inputs.shape[1:]])
    deviation = tf.sqrt(tf.math.reduce_variance(groups, 0) + 1e-8)
    means = tf.reduce_mean(deviation, [1, 2, 3])
    means = tf.tile(means, [size])[:, None, None, None]
    return tf.concat([inputs, means * tf.ones_like(inputs[..., :1])], -1)


@keras.saving.register_keras_serializable(package="tf_unsup3d")
class Discriminator(keras.Model):
    """StyleGAN2's residual discriminator (Karras et al. 2020).

    Args:
      resolution: of the pictures, a power of two of at least 8.
      channel_base: channels at a resolution are this divided by it,
      channel_max: but at most this many.
      group_size: samples that the minibatch deviation is taken over.
      start_resolution: of the smallest pictures that it shall judge, for training that
        begins with small ones; 0 is `resolution`.

    Raises:
      ValueError: A parameter is out of range.
    """

    def __init__(
        self,
        resolution: int = 64,
        channel_base: int = 1536,
        channel_max: int = 128,
        group_size: int = 4,
        start_resolution: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_resolution("resolution", resolution)
        check_range("channel_base", channel_base, 1, 2**20)
        check_range("channel_max", channel_max, 1, 4096)
        check_range("group_size", group_size, 1, 4096)
        self._config = dict(
            resolution=resolution,
            channel_base=channel_base,
            channel_max=channel_max,
            group_size=group_size,
            start_resolution=start_resolution,
        )
        self.group_size = group_size
        self.sizes = resolutions(resolution)[::-1]
        self.channels = [min(channel_max, channel_base // size) for size in self.sizes]
        entries = self.sizes.index(start_resolution or resolution) + 1
        self.from_colour = [
            EqualizedConv(channels, 1) for channels in self.channels[:entries]
        ]
        self.first = [EqualizedConv(channels) for channels in self.channels[:-1]]
        self.second = [EqualizedConv(channels) for channels in self.channels[1:]]
        self.skip = [
            EqualizedConv(channels, 1, use_bias=False) for channels in self.channels[1:]
        ]
        self.last_conv = EqualizedConv(self.channels[-1])
        self.last_dense = EqualizedDense(self.channels[-1])
        self.score = EqualizedDense(1)

    def build(self, input_shape):
        for layer in self.from_colour:
            layer.build([None, None, None, 3])
        for level, size in enumerate(self.sizes[:-1]):
            shape = [None, size, size, self.channels[level]]
            for layer in (self.first[level], self.second[level], self.skip[level]):
                layer.build(shape)
        channels = self.channels[-1]
        self.last_conv.build([None, 4, 4, channels + 1])
        self.last_dense.build([None, 16 * channels])
        self.score.build([None, channels])
        self.built = True

    def get_config(self) -> dict:
        return {**super().get_config(), **self._config}

    def call(self, pictures, fade=None):
        """Scores [batch] of pictures.

        Args:
          pictures: [batch, size, size, 3] in [-1, 1], of one of the resolutions that
            it was made for.
          fade: [] in [0, 1], how much the levels for this resolution count beside
            those for half of it; None is 1.
        """
        entry = self.sizes.index(pictures.shape[1])
        outputs = leaky_relu(self.from_colour[entry](pictures))
        blocks = zip(self.first, self.second, self.skip, strict=True)
        for level, (first, second, skip) in enumerate(blocks):
            if level < entry:
                continue
            residual = downsample(leaky_relu(first(outputs)))
            residual = leaky_relu(second(residual))
            outputs = (skip(downsample(outputs)) + residual) / math.sqrt(2.0)
            if level == entry and fade is not None:
                smaller = tf.nn.avg_pool2d(pictures, 2, 2, "VALID")
                smaller = leaky_relu(self.from_colour[entry + 1](smaller))
                outputs = smaller + fade * (outputs - smaller)
        outputs = minibatch_deviation(outputs, self.group_size)
        outputs = leaky_relu(self.last_conv(outputs))
        outputs = tf.reshape(outputs, [-1, 16 * self.channels[-1]])
        return self.score(leaky_relu(self.last_dense(outputs)))[:, 0]
