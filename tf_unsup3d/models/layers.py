"""The layers of StyleGAN2: equalised and style-modulated (Karras et al. 2020).

With an equalised learning rate (Karras et al. 2018, section 4.1), weights are drawn
from the standard normal distribution, and scaled at run time by the constant that keeps
the variance of a normal input. Adam then moves the weights of all layers equally fast
in relation to their size.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_unsup3d.models.precision import convolve

_REGISTER = keras.saving.register_keras_serializable(package="tf_unsup3d")


def leaky_relu(inputs: tf.Tensor) -> tf.Tensor:
    """Applies a leaky ReLU of slope 0.2, times sqrt(2).

    The factor keeps the mean square of a normal input nearly unchanged (He et al. 2015,
    section 2.2).

    Args:
      inputs: Tensor of any shape.

    Returns:
      Tensor of the same shape.
    """
    return tf.nn.leaky_relu(inputs, 0.2) * math.sqrt(2.0)


def upsample(inputs: tf.Tensor) -> tf.Tensor:
    """Doubles height and width by bilinear interpolation.

    Args:
      inputs: `[batch, height, width, channels]` of known height and width.

    Returns:
      `[batch, 2 * height, 2 * width, channels]`.
    """
    return tf.image.resize(inputs, [2 * inputs.shape[1], 2 * inputs.shape[2]])


def downsample(inputs: tf.Tensor) -> tf.Tensor:
    """Halves height and width by averaging blocks of 2 x 2 pixels.

    Args:
      inputs: `[batch, height, width, channels]`.

    Returns:
      `[batch, height // 2, width // 2, channels]`.
    """
    return tf.nn.avg_pool2d(inputs, 2, 2, "VALID")


@_REGISTER
class EqualizedDense(keras.layers.Layer):
    """A dense layer with an equalised learning rate.

    Args:
      units: Number of output channels.
      bias_init: Initial value of the bias.
      learning_rate_multiplier: Learning rate of this layer, relative to that of the
        other layers.
    """

    def __init__(
        self,
        units: int,
        bias_init: float = 0.0,
        learning_rate_multiplier: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.bias_init = bias_init
        self.learning_rate_multiplier = learning_rate_multiplier

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Creates the weights."""
        channels = _channels(input_shape)
        multiplier = self.learning_rate_multiplier
        self.scale = multiplier / math.sqrt(channels)
        self.kernel = self.add_weight(
            name="kernel",
            shape=[channels, self.units],
            initializer=keras.initializers.RandomNormal(stddev=1.0 / multiplier),
        )
        self.bias = self.add_weight(
            name="bias",
            shape=[self.units],
            initializer=keras.initializers.Constant(self.bias_init / multiplier),
        )
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Computes the outputs.

        Args:
          inputs: `[batch, channels]`.

        Returns:
          `[batch, units]`.
        """
        outputs = tf.matmul(inputs, self.kernel * self.scale)
        return outputs + self.bias * self.learning_rate_multiplier

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments by name."""
        return {
            **super().get_config(),
            "units": self.units,
            "bias_init": self.bias_init,
            "learning_rate_multiplier": self.learning_rate_multiplier,
        }


@_REGISTER
class EqualizedConv(keras.layers.Layer):
    """A convolution with an equalised learning rate.

    Args:
      filters: Number of output channels.
      kernel_size: Height and width of the kernel in pixels.
      use_bias: Whether a bias is added.
    """

    def __init__(
        self, filters: int, kernel_size: int = 3, use_bias: bool = True, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.use_bias = use_bias

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Creates the weights."""
        size, channels = self.kernel_size, _channels(input_shape)
        self.scale = 1.0 / math.sqrt(size * size * channels)
        self.kernel = self.add_weight(
            name="kernel",
            shape=[size, size, channels, self.filters],
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=[self.filters], initializer="zeros"
            )
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Computes the outputs.

        Args:
          inputs: `[batch, height, width, channels]`.

        Returns:
          `[batch, height, width, filters]`.
        """
        outputs = convolve(inputs, self.kernel * self.scale)
        return outputs + self.bias if self.use_bias else outputs

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments by name."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "use_bias": self.use_bias,
        }


@_REGISTER
class ModulatedConv(keras.layers.Layer):
    """A convolution that is modulated by a style, with a bias.

    The style scales the input channels, and demodulation scales the outputs back to
    unit variance. This equals modulating and demodulating the weights (Karras et al.
    2020, section 2.2, equations 1 to 3), but one convolution serves the whole batch.

    Args:
      filters: Number of output channels.
      kernel_size: Height and width of the kernel in pixels.
      demodulate: Whether the outputs are scaled back to unit variance.
    """

    def __init__(
        self, filters: int, kernel_size: int = 3, demodulate: bool = True, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.demodulate = demodulate

    def build(
        self,
        input_shape: Sequence[int | None],
        style_shape: Sequence[int | None] | None = None,
    ) -> None:
        """Creates the weights."""
        size, channels = self.kernel_size, _channels(input_shape)
        self.scale = 1.0 / math.sqrt(size * size * channels)
        self.style_scales = EqualizedDense(channels, bias_init=1.0)
        if style_shape is not None:
            self.style_scales.build(style_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=[size, size, channels, self.filters],
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )
        self.bias = self.add_weight(
            name="bias", shape=[self.filters], initializer="zeros"
        )
        self.built = True

    def call(self, inputs: tf.Tensor, style: tf.Tensor) -> tf.Tensor:
        """Computes the outputs.

        Args:
          inputs: `[batch, height, width, channels]`.
          style: `[batch, style_size]`.

        Returns:
          `[batch, height, width, filters]`.
        """
        kernel = self.kernel * self.scale
        scales = self.style_scales(style)
        outputs = convolve(inputs * scales[:, None, None, :], kernel)
        if self.demodulate:
            power = tf.reduce_sum(tf.square(kernel), [0, 1])
            variance = tf.matmul(tf.square(scales), power)
            outputs *= tf.math.rsqrt(variance + 1e-8)[:, None, None, :]
        return outputs + self.bias

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments by name."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "demodulate": self.demodulate,
        }


def _channels(shape: Sequence[int | None]) -> int:
    """Returns the number of channels of an input, which must be known."""
    channels = shape[-1]
    if channels is None:
        raise ValueError("the number of channels of an input must be known")
    return channels
