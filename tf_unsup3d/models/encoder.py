"""The encoder, which estimates what a generator's picture shows."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

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


class Encoded(NamedTuple):
    """What an encoder estimates of each picture of a batch.

    Attributes:
      codes: `[batch, code_size]`, the style of the object in units of the spread of
        styles; see `StyleDistribution`.
      angles: `[batch, 3]` yaw, pitch and roll of the viewpoint, in units of the largest
        angles of the generator's training.
      framing: `[batch, 3]`, how the picture is moved (right, down) and enlarged,
        compared with those of the generator's training; see
        `reconstruction.parameters.to_framing`.
      light: `[batch, light_size]` logits of the parameters of the light; see
        `RandomLamps.lights`.
    """

    codes: tf.Tensor
    angles: tf.Tensor
    framing: tf.Tensor
    light: tf.Tensor


@keras.saving.register_keras_serializable(package="tf_unsup3d")
class Encoder(keras.Model):
    """A convolutional network from pictures to style, viewpoint, framing and light.

    Its first level works at half the resolution of the pictures, on blocks of 2 x 2
    pixels; a level at full resolution would take most of the time. The levels below,
    down to 4 x 4, have a convolution and a residual convolution each.

    Args:
      resolution: Height and width of the pictures in pixels, a power of two from 8 to
        1024.
      code_size: Length of the codes.
      light_size: Number of parameters of the light; 0 for pictures without lamps.
      channel_base: Number of channels at a resolution, times that resolution.
      channel_max: Largest number of channels at any resolution.
      dense_size: Number of units of the layer before the outputs. With the defaults,
        the weights of an encoder of 64 x 64 pixels take less than 5 MB in half
        precision.

    Raises:
      ValueError: An argument is out of range.
    """

    def __init__(
        self,
        resolution: int = 64,
        code_size: int = 128,
        light_size: int = 3,
        channel_base: int = 1024,
        channel_max: int = 192,
        dense_size: int = 512,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_resolution("resolution", resolution)
        check_range("resolution", resolution, 8, 1024)
        for name, value, smallest, largest in (
            ("code_size", code_size, 1, 4096),
            ("light_size", light_size, 0, 64),
            ("channel_base", channel_base, 1, 2**20),
            ("channel_max", channel_max, 1, 4096),
            ("dense_size", dense_size, 1, 4096),
        ):
            check_range(name, value, smallest, largest)
        self._config: dict[str, Any] = dict(
            resolution=resolution,
            code_size=code_size,
            light_size=light_size,
            channel_base=channel_base,
            channel_max=channel_max,
            dense_size=dense_size,
        )
        self.resolution = resolution
        self.sizes = resolutions(resolution // 2)[::-1]
        self.channels = channel_counts(self.sizes, channel_base, channel_max)
        self.enter = [EqualizedConv(channels) for channels in self.channels]
        self.residual = [EqualizedConv(channels) for channels in self.channels]
        self.dense = EqualizedDense(dense_size)
        self.outputs_layer = EqualizedDense(code_size + 6 + light_size)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Creates the weights, which do not depend on the shape of the input."""
        previous = 12
        layers = zip(self.sizes, self.channels, self.enter, self.residual, strict=True)
        for size, channels, enter, residual in layers:
            enter.build([None, size, size, previous])
            residual.build([None, size, size, channels])
            previous = channels
        self.dense.build([None, 16 * previous])
        self.outputs_layer.build([None, self._config["dense_size"]])
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments by name."""
        return {**super().get_config(), **self._config}

    def call(self, pictures: tf.Tensor) -> Encoded:
        """Estimates what pictures show.

        Args:
          pictures: `[batch, resolution, resolution, 3]` in [-1, 1].

        Returns:
          The estimates.
        """
        outputs = tf.nn.space_to_depth(pictures, 2)
        for level, (enter, residual) in enumerate(
            zip(self.enter, self.residual, strict=True)
        ):
            if level > 0:
                outputs = downsample(outputs)
            outputs = leaky_relu(enter(outputs))
            outputs = (outputs + leaky_relu(residual(outputs))) / math.sqrt(2.0)
        outputs = tf.reshape(outputs, [-1, 16 * self.channels[-1]])
        outputs = self.outputs_layer(leaky_relu(self.dense(outputs)))
        sizes = [self._config["code_size"], 3, 3, self._config["light_size"]]
        return Encoded(*tf.split(outputs, sizes, -1))
