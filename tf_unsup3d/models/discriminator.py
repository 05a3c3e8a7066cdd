"""The discriminator, which scores how real pictures look."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_unsup3d.models.checks import check_range, check_resolution
from tf_unsup3d.models.layers import (
    EqualizedConv,
    EqualizedDense,
    downsample,
    leaky_relu,
)
from tf_unsup3d.models.synthesis import channel_counts, resolutions


def minibatch_deviation(inputs: tf.Tensor, group_size: int) -> tf.Tensor:
    """Appends a channel that tells how much the pictures of a group differ.

    It is the standard deviation within the group, averaged over all positions and
    channels (Karras et al. 2018, section 3). The discriminator thus sees whether the
    generator makes the same picture again and again. Every k-th picture, where k is the
    number of groups, belongs to the same group.

    Args:
      inputs: `[batch, height, width, channels]`.
      group_size: Number of pictures in a group. A batch that this does not divide is a
        single group.

    Returns:
      `[batch, height, width, channels + 1]`.
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
    """The residual discriminator of StyleGAN2 (Karras et al. 2020, section 4.1).

    It may also judge pictures of half the resolution, a quarter and so on, each by the
    levels from that resolution down, for progressive growing (Karras et al. 2018,
    section 2).

    Args:
      resolution: Height and width of the largest pictures in pixels, a power of two
        from 4 to 1024.
      channel_base: Number of channels at a resolution, times that resolution. The
        default gives 24 channels at 64 x 64 pixels, which a processor can train.
      channel_max: Largest number of channels at any resolution.
      group_size: Number of pictures in a group; see `minibatch_deviation`. The default
        is that of StyleGAN2.
      start_resolution: Height and width of the smallest pictures in pixels, with which
        training begins; 0 for pictures of `resolution` only.

    Raises:
      ValueError: An argument is out of range.
    """

    def __init__(
        self,
        resolution: int = 64,
        channel_base: int = 1536,
        channel_max: int = 128,
        group_size: int = 4,
        start_resolution: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_resolution("resolution", resolution)
        check_range("channel_base", channel_base, 1, 2**20)
        check_range("channel_max", channel_max, 1, 4096)
        check_range("group_size", group_size, 1, 4096)
        smallest = start_resolution or resolution
        check_resolution("start_resolution", smallest, largest=resolution)
        self._config: dict[str, Any] = dict(
            resolution=resolution,
            channel_base=channel_base,
            channel_max=channel_max,
            group_size=group_size,
            start_resolution=start_resolution,
        )
        self.group_size = group_size
        self.sizes = resolutions(resolution)[::-1]
        self.channels = channel_counts(self.sizes, channel_base, channel_max)
        entries = self.sizes.index(smallest) + 1
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

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Creates the weights, which do not depend on the shape of the input."""
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

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments by name."""
        return {**super().get_config(), **self._config}

    def call(self, pictures: tf.Tensor, fade: tf.Tensor | None = None) -> tf.Tensor:
        """Scores pictures.

        Args:
          pictures: `[batch, size, size, 3]` in [-1, 1], of a resolution from
            `start_resolution` to `resolution`.
          fade: `[]` in [0, 1], the weight of the level for this resolution while it is
            faded in; the level for half the resolution has the rest. None is 1.

        Returns:
          `[batch]` logits, larger for pictures that look real.
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
                smaller = downsample(pictures)
                smaller = leaky_relu(self.from_colour[entry + 1](smaller))
                outputs = smaller + fade * (outputs - smaller)
        outputs = minibatch_deviation(outputs, self.group_size)
        outputs = leaky_relu(self.last_conv(outputs))
        outputs = tf.reshape(outputs, [-1, 16 * self.channels[-1]])
        return self.score(leaky_relu(self.last_dense(outputs)))[:, 0]
