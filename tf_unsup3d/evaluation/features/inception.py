"""Keras' InceptionV3, whose weights are given as a file or downloaded."""

import pathlib

import keras
import tensorflow as tf

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.features.network import FeatureNetwork

IMAGENET = "imagenet"

# Height and width of the pictures that the network was trained on.
_SIZE = 299


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

    @tf.function(autograph=False, jit_compile=False)
    def function(pictures: tf.Tensor) -> tf.Tensor:
        size = [_SIZE] * 2
        return model(tf.image.resize(pictures, size, antialias=True), training=False)

    return FeatureNetwork(
        "inception",
        f"Keras InceptionV3 ({pathlib.Path(weights).name})",
        "near published numbers but not equal to them, which rest on other weights of "
        "Inception",
        function,
    )


def _download() -> keras.Model:
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


def _load(path: str) -> keras.Model:
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
