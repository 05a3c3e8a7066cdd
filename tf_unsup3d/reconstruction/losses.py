"""The terms of the loss that a fit minimises; each is one number a picture."""

import dataclasses

import numpy as np
import tensorflow as tf

from tf_unsup3d.models.layers import downsample
from tf_unsup3d.reconstruction.parameters import Parameters, angle_units
from tf_unsup3d.trained.trained_model import TrainedModel

# Pixels are compared at the full resolution, at half of it, and so on.
_SCALES = 4


@dataclasses.dataclass(frozen=True)
class LossWeights:
    """The weights of the terms beside that of the pixels.

    Attributes:
      style: Weight of the mean square of the codes, which is 1 for random objects.
      viewpoint: Weight of the square of what angles exceed those of training by.
      framing: Weight of the sum of squares of what moves and enlarges the picture.
      backdrop: Weight of the mean square of the correction of the background.
      mask: Weight of the difference between masks, where there are any.
      residual: Weight of the mean squares of the residuals.
      smoothness: Weight of the mean squares of their slopes.
    """

    style: float = 0.03
    viewpoint: float = 1.0
    framing: float = 0.003
    backdrop: float = 0.01
    mask: float = 0.5
    residual: float = 0.003
    smoothness: float = 0.03


def pixel_loss(fits: tf.Tensor, pictures: tf.Tensor) -> tf.Tensor:
    """Computes the mean absolute difference at several scales.

    Coarse scales tell where to go while fine ones do not yet overlap.

    Args:
      fits: `[batch, size, size, channels]`.
      pictures: `[batch, size, size, channels]`.

    Returns:
      `[batch]`, the mean over the scales.
    """
    difference = fits - pictures
    total = 0.0
    for scale in range(_SCALES):
        if scale:
            difference = downsample(difference)
        total += tf.reduce_mean(tf.abs(difference), [1, 2, 3])
    return total / _SCALES


def prior_loss(
    model: TrainedModel, parameters: Parameters, weights: LossWeights
) -> tf.Tensor:
    """Computes what makes parameters unlikely, whatever the picture.

    Args:
      model: The model.
      parameters: The parameters of a batch.
      weights: The weights of the terms.

    Returns:
      `[batch]`.
    """
    limits = tf.constant(np.radians(model.viewpoints.limits), tf.float32)
    excess = tf.nn.relu(tf.abs(parameters.angles) - limits / angle_units(model))
    total = weights.style * tf.reduce_mean(tf.square(parameters.codes), -1)
    total += weights.viewpoint * tf.reduce_sum(tf.square(excess), -1)
    total += weights.framing * tf.reduce_sum(tf.square(parameters.framing), -1)
    total += weights.backdrop * _mean_square(parameters.backdrop)
    for residual in (parameters.texture, parameters.shape):
        total += weights.residual * _mean_square(residual)
        total += weights.smoothness * _mean_square(residual[:, 1:] - residual[:, :-1])
        across = residual[:, :, 1:] - residual[:, :, :-1]
        total += weights.smoothness * _mean_square(across)
    return total


def _mean_square(values: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(values), [1, 2, 3])
