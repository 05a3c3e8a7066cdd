"""A network that turns pictures into features."""

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class FeatureNetwork:
    """A network, and what is to be known of numbers that are based on it.

    Attributes:
      name: Short name, which stands beside every number that is based on the network.
      description: The network, its weights and the layer of the features.
      note: Numbers that a distance between its features may be compared with.
      function: Function from pictures `[batch, size, size, 3]` in [-1, 1] to features
        `[batch, features]`.
    """

    name: str
    description: str
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
