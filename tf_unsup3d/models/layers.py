"""StyleGAN2's layers (Karras et al. 2020): equalised and style-modulated."""

import math

import keras
import tensorflow as tf

from tf_unsup3d.models.precision import convolve

_REGISTER = keras.saving.register_keras_serializable(package="tf_unsup3d")


def leaky_relu(inputs: tf.Tensor) -> tf.Tensor:
    """Leaky ReLU with slope 0.2 that keeps the variance of a normal input."""
    return tf.nn.leaky_relu(inputs, 0.2) * math.sqrt(2.0)


def upsample(inputs: tf.Tensor) -> tf.Tensor:
    """Doubles height and width bilinearly, [batch, height, width, channels]."""
    return tf.image.resize(inputs, [2 * inputs.shape[1], 2 * inputs.shape[2]])


def downsample(inputs: tf.Tensor) -> tf.Tensor:
    """Halves height and width by averaging, [batch, height, width, channels]."""
    return tf.nn.avg_pool2d(inputs, 2, 2, "VALID")


@_REGISTER
class EqualizedDense(keras.layers.Layer):
    """Dense layer whose weights are scaled at run time (Karras et al. 2018).

    Args:
      units: output channels.
      bias_init: initial bias.
      learning_rate_multiplier: slows the layer down.
    """

    def __init__(
        self,
        units: int,
        bias_init: float = 0.0,
        learning_rate_multiplier: float = 1.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.bias_init = bias_init
        self.learning_rate_multiplier = learning_rate_multiplier

    def build(self, input_shape):
        multiplier = self.learning_rate_multiplier
        self.scale = multiplier / math.sqrt(input_shape[-1])
        self.kernel = self.add_weight(
            name="kernel",
            shape=[input_shape[-1], self.units],
            initializer=keras.initializers.RandomNormal(stddev=1.0 / multiplier),
        )
        self.bias = self.add_weight(
            name="bias",
            shape=[self.units],
            initializer=keras.initializers.Constant(self.bias_init / multiplier),
        )
        self.built = True

    def call(self, inputs):
        outputs = tf.matmul(inputs, self.kernel * self.scale)
        return outputs + self.bias * self.learning_rate_multiplier

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "bias_init": self.bias_init,
            "learning_rate_multiplier": self.learning_rate_multiplier,
        }


@_REGISTER
class EqualizedConv(keras.layers.Layer):
    """Convolution whose weights are scaled at run time.

    Args:
      filters: output channels.
      kernel_size: height and width of the kernel.
      use_bias: whether a bias is added.
    """

    def __init__(
        self, filters: int, kernel_size: int = 3, use_bias: bool = True, **kwargs
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.use_bias = use_bias

    def build(self, input_shape):
        size = self.kernel_size
        self.scale = 1.0 / math.sqrt(size * size * input_shape[-1])
        self.kernel = self.add_weight(
            name="kernel",
            shape=[size, size, input_shape[-1], self.filters],
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=[self.filters], initializer="zeros"
            )
        self.built = True

    def call(self, inputs):
        outputs = convolve(inputs, self.kernel * self.scale)
        return outputs + self.bias if self.use_bias else outputs

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "use_bias": self.use_bias,
        }


@_REGISTER
class ModulatedConv(keras.layers.Layer):
    """Convolution modulated by a style, with bias.

    The style scales the inputs and the outputs are scaled back to unit variance: the
    same as modulating and demodulating the weights (Karras et al. 2020, section 2.2),
    without a convolution of its own for each sample.

    Args:
      filters: output channels.
      kernel_size: height and width of the kernel.
      demodulate: whether the outputs are scaled back.
    """

    def __init__(
        self, filters: int, kernel_size: int = 3, demodulate: bool = True, **kwargs
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.demodulate = demodulate

    def build(self, input_shape, style_shape=None):
        size, channels = self.kernel_size, input_shape[-1]
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

    def call(self, inputs, style):
        """[batch, height, width, channels] and [batch, style_size]."""
        kernel = self.kernel * self.scale
        scales = self.style_scales(style)
        outputs = convolve(inputs * scales[:, None, None, :], kernel)
        if self.demodulate:
            power = tf.reduce_sum(tf.square(kernel), [0, 1])
            variance = tf.matmul(tf.square(scales), power)
            outputs *= tf.math.rsqrt(variance + 1e-8)[:, None, None, :]
        return outputs + self.bias

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "demodulate": self.demodulate,
        }
