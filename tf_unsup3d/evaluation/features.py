"""Networks that turn pictures into features."""

import dataclasses
import math
import pathlib
from collections.abc import Callable, Iterable

import keras
import numpy as np
import tensorflow as tf

from tf_unsup3d.errors import UserError

IMAGENET = "imagenet"

# Height and width of the pictures that Keras' InceptionV3 was trained on.
_INCEPTION_SIZE = 299
# The random network: channels after its first and its second convolution, number of
# cells along each side over which the latter are averaged, and resolution of the
# coarsest band.
_WIDTH = 32
_CHANNELS = 4
_GRID = 4
_COARSEST = 8
# Brings the features of photographs to about 0.5, where the kernel of KID is cubic.
_SCALE = 8.0


@dataclasses.dataclass(frozen=True)
class FeatureNetwork:
    """A network, and what is to be known of numbers that are based on it.

    Attributes:
      name: Name of the network and of its weights.
      note: Numbers that a distance between its features may be compared with.
      function: Function from pictures `[batch, size, size, 3]` in [-1, 1] to features
        `[batch, features]`.
    """

    name: str
    note: str
    function: Callable[[tf.Tensor], tf.Tensor]

    def features(self, batches: Iterable[np.ndarray]) -> np.ndarray:
        """Computes the features of pictures.

        Args:
          batches: At least one batch `[batch, size, size, 3]` uint8.

        Returns:
          `[pictures, features]` float64.
        """
        parts = [
            self.function(tf.constant(batch, tf.float32) / 127.5 - 1.0).numpy()
            for batch in batches
        ]
        return np.concatenate(parts).astype(np.float64)


def open_network(weights: str | None, resolution: int) -> FeatureNetwork:
    """Opens the network that `--feature_weights` names.

    Args:
      weights: File with the weights of Keras' InceptionV3, `IMAGENET` to download them,
        or None for the random network.
      resolution: Height and width of the pictures.

    Returns:
      The network.

    Raises:
      UserError: The weights cannot be used, see `inception`.
    """
    return inception(weights) if weights else random_network(resolution)


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

    @tf.function(jit_compile=False)
    def function(pictures):
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
        "random convolutions of a Laplacian pyramid",
        "not comparable with published numbers, nor between resolutions",
        function,
    )


def inception(weights: str) -> FeatureNetwork:
    """Opens Keras' InceptionV3 (Szegedy et al. 2016), averaged over its last layer.

    Pictures are resized to 299 x 299 bilinearly, with a filter where they shrink
    (Parmar et al. 2022 show what aliasing does to FID).

    Args:
      weights: File of weights as published by Keras, with or without the classifier, or
        `IMAGENET` to let Keras download them.

    Returns:
      The network, with 2048 features.

    Raises:
      UserError: The file is missing or holds something else, or the download failed.
    """
    model = _download() if weights == IMAGENET else _load(weights)

    @tf.function(jit_compile=False)
    def function(pictures):
        size = [_INCEPTION_SIZE] * 2
        return model(tf.image.resize(pictures, size, antialias=True), training=False)

    return FeatureNetwork(
        f"Keras InceptionV3 ({pathlib.Path(weights).name})",
        "near published numbers but not equal to them, which rest on other weights of "
        "Inception",
        function,
    )


def _random_kernel(random, inputs, outputs):
    """A kernel `[3, 3, inputs, outputs]` that preserves the variance through ReLU."""
    deviation = math.sqrt(2.0 / (9 * inputs))
    return tf.constant(
        deviation * random.standard_normal((3, 3, inputs, outputs)), tf.float32
    )


def _download():
    try:
        return keras.applications.InceptionV3(
            weights=IMAGENET, include_top=False, pooling="avg"
        )
    # Keras raises a plain Exception when a download fails.
    except Exception as error:
        raise UserError(
            "--feature_weights=imagenet: Keras cannot download the weights; without a "
            f"connection give a file ({error})"
        ) from error


def _load(path):
    if not pathlib.Path(path).is_file():
        raise UserError(f"--feature_weights: there is no file {path}")
    reason = None
    for with_classifier in (False, True):
        try:
            model = keras.applications.InceptionV3(
                weights=path,
                include_top=with_classifier,
                pooling=None if with_classifier else "avg",
            )
        except (OSError, ValueError, KeyError) as error:
            reason = error
            continue
        if with_classifier:
            model = keras.Model(model.input, model.get_layer("avg_pool").output)
        return model
    raise UserError(
        f"--feature_weights: {path} holds no weights of Keras' InceptionV3"
    ) from reason
