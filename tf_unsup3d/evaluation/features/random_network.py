"""A network of random convolutions, which needs no file."""

import math

import numpy as np
import tensorflow as tf

from tf_unsup3d.evaluation.features.network import FeatureNetwork

# Channels after the first and the second convolution, number of cells along each side
# over which the latter are averaged, and resolution of the coarsest band.
_WIDTH = 32
_CHANNELS = 4
_GRID = 4
_COARSEST = 8
# Brings the features of photographs to about 0.5, where the kernel of KID is cubic.
_SCALE = 8.0


def random_network(resolution: int) -> FeatureNetwork:
    """Makes a network of random convolutions, which needs no file.

    Random networks provide features where those of ImageNet are unsuitable or
    unavailable (Naeem et al. 2020, section 4). Each band of the Laplacian pyramid of
    the pictures, down to 8 x 8, passes through two convolutions of its own with ReLU;
    their means over 4 x 4 cells are the features. In photographs all bands are about
    equally strong, so that fine detail counts as much as coarse (Karras et al. 2018,
    section 5, compare the same bands).

    Args:
      resolution: Height and width of the pictures, a power of two, at least 8.

    Returns:
      The network, with 64 features for each band: 256 at 64 x 64. Its weights are
      always the same.
    """
    # NumPy guarantees that the numbers of this generator never change.
    random = np.random.RandomState(0)
    bands = round(math.log2(resolution / _COARSEST)) + 1
    kernels = [
        [_random_kernel(random, *sizes) for sizes in ((3, _WIDTH), (_WIDTH, _CHANNELS))]
        for _ in range(bands)
    ]

    @tf.function(autograph=False, jit_compile=False)
    def function(pictures: tf.Tensor) -> tf.Tensor:
        count = tf.shape(pictures)[0]
        features = []
        for number, (first, second) in enumerate(kernels, 1):
            coarse = tf.nn.avg_pool2d(pictures, 2, 2, "VALID")
            band = pictures
            if number < bands:
                band -= tf.repeat(tf.repeat(coarse, 2, 1), 2, 2)
            outputs = tf.nn.relu(tf.nn.conv2d(band, first, 1, "SAME"))
            outputs = tf.nn.relu(tf.nn.conv2d(outputs, second, 1, "SAME"))
            cell = outputs.shape[1] // _GRID
            outputs = tf.nn.avg_pool2d(outputs, cell, cell, "VALID")
            features.append(tf.reshape(outputs, [count, _GRID**2 * _CHANNELS]))
            pictures = coarse
        return _SCALE * tf.concat(features, -1)

    return FeatureNetwork(
        "random",
        "random convolutions of a Laplacian pyramid",
        "not comparable with published numbers, nor between resolutions",
        function,
    )


def _random_kernel(
    random: np.random.RandomState, inputs: int, outputs: int
) -> tf.Tensor:
    """A kernel `[3, 3, inputs, outputs]` that preserves the variance through ReLU."""
    deviation = math.sqrt(2.0 / (9 * inputs))
    return tf.constant(
        deviation * random.standard_normal((3, 3, inputs, outputs)), tf.float32
    )
