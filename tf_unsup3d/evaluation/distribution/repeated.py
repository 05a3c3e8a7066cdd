"""The distance from the same real pictures, measured again and again in training."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_unsup3d.data.dataset import PictureSet
from tf_unsup3d.evaluation.distribution.distances import kernel_distance
from tf_unsup3d.evaluation.distribution.uint8_batches import uint8_batches
from tf_unsup3d.evaluation.features.random_network import random_network
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.trained.trained_model import RANDOM_BATCH_SIZE, TrainedModel

_BATCHES = 32


class RepeatedKernelDistance:
    """KID of a model's pictures to some real pictures.

    The features are those of a random network. Real pictures and random numbers are the
    same in each measurement, so that the values of one run can be compared.

    Args:
      pictures: The real pictures, of which at most 512 are used.
      mirror: Whether to mirror each of them with probability one half.
    """

    def __init__(self, pictures: PictureSet, mirror: bool):
        self._network = random_network(pictures.resolution)
        batches = pictures.batches(
            RANDOM_BATCH_SIZE, seed=0, mirror=mirror, repeat=False
        )
        self._real = self._network.features(
            uint8_batches(pictures, batches.take(_BATCHES))
        )

    def measure(
        self, model: TrainedModel, stopped: Callable[[], bool] = lambda: False
    ) -> float | None:
        """Draws 512 pictures, with noise and viewpoints as in training.

        Args:
          model: The model.
          stopped: Called before each batch of pictures; whether to give up.

        Returns:
          The distance; see `kernel_distance`. None if it was given up.
        """
        features = []
        for n in range(_BATCHES):
            if stopped():
                return None
            batch = model.random_batch(tf.constant([0, n], tf.int64))
            pictures = model.renderer(**batch._asdict())["picture"].numpy()
            features.append(self._network.features([to_uint8(pictures)]))
        return kernel_distance(np.concatenate(features), self._real)
