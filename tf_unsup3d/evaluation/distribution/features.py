"""Networks that turn pictures into features, for distances between sets of pictures."""

import dataclasses
import math
import pathlib
from collections.abc import Callable, Iterable

import keras
import numpy as np
import tensorflow as tf

from tf_unsup3d.errors import UserError

IMAGENET = "imagenet"

# What Keras' InceptionV3 was trained on.
_INCEPTION_SIZE = 299
# Of the random network: channels between and after its convolutions, and the grid of
# cells that the last ones are averaged over.
_WIDTH = 32
_CHANNELS = 4
_GRID = 4
_COARSEST = 8
# Brings the features of photographs to about 0.5, where the kernel of KID is cubic.
_SCALE = 8.0


@dataclasses.dataclass(frozen=True)
class FeatureNetwork:
    """A network and what may be said of numbers that rest on it.

    Attributes:
      name: of the network and its weights.
      note: which numbers a distance between its features may be compared with.
      function: pictures [batch, size, size, 3] in [-1, 1] to [batch, features].
    """

    name: str
    note: str
    function: Callable[[tf.Tensor], tf.Tensor]

    def features(self, batches: Iterable[np.ndarray]) -> np.ndarray:
        """Features of pictures that come in batches.

        Args:
          batches: [batch, size, size, 3] uint8 each; one of them at least.

        Returns:
          [pictures, features] float64.
        """
        parts = [
            self.function(tf.constant(batch, tf.float32) / 127.5 - 1.0).numpy()
            for batch in batches
        ]
        return np.concatenate(parts).astype(np.float64)


def open_network(weights: str | None, resolution: int) -> FeatureNetwork:
    """The network that `--feature_weights` names.

    Args:
      weights: file of Keras' InceptionV3, `IMAGENET` to download it, or None for the
        random network.
      resolution: of the pictures.

    Returns:
      The network.

    Raises:
      UserError: see `inception`.
    """
    return inception(weights) if weights else random_network(resolution)


def random_network(resolution: int) -> FeatureNetwork:
    """Convolutions with random weights, which need no file.

    Random networks serve as features where those of ImageNet are of no use or not to be
    had (Naeem et al. 2020, section 4). Each band of the pictures' Laplacian pyramid,
    down to 8 x 8, passes through two convolutions of its own with ReLU; their means
    over 4 x 4 cells are the features. In photographs the bands are about equally
    strong, so that fine detail counts as much as coarse (Karras et al. 2018, section 5,
    compare the same bands).

    Args:
      resolution: of the pictures, a power of two, at least 8.

    Returns:
      The network, with 64 features for each band: 256 at 64 x 64. Its weights are the
      same ever.
    """
    # Of NumPy's generators this one is never going to change.
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
    """Keras' InceptionV3 (Szegedy et al. 2016), averaged over its last layer.

    Pictures are resized to 299 x 299, bilinearly and filtered where they shrink (Parmar
    et al. 2022 show what aliasing does to FID).

    Args:
      weights: file as Keras publishes it, with or without the classifier, or
        `IMAGENET` to let Keras download it.

    Returns:
      The network, with 2048 features.

    Raises:
      UserError: if the file is missing or holds something else, or cannot be
        downloaded.
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
    """[3, 3, inputs, outputs], which keeps the strength of what passes ReLU."""
    deviation = math.sqrt(2.0 / (9 * inputs))
    return tf.constant(
        deviation * random.standard_normal((3, 3, inputs, outputs)), tf.float32
    )


def _download():
    try:
        return keras.applications.InceptionV3(
            weights=IMAGENET, include_top=False, pooling="avg"
        )
    # Keras raises no more special class when it cannot download.
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
