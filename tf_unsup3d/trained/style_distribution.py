"""The distribution of the styles of a generator."""

import dataclasses

import numpy as np
import tensorflow as tf

from tf_unsup3d.models.generator import Generator

_SAMPLES = 8192
# Smallest deviation along an axis, relative to the largest. Along others, the styles of
# a network may not differ at all.
_LEAST_DEVIATION = 1e-3


@dataclasses.dataclass(frozen=True, eq=False)
class StyleDistribution:
    """Mean and principal axes of the styles of random latent vectors.

    The code of a style is its position along the principal axes in units of the
    standard deviations, so that codes have mean 0 and the identity as their covariance.
    The axes are directions of change that are found without labels (Härkönen et al.
    2020).

    Attributes:
      mean: `[style_size]` float32.
      axes: `[style_size, style_size]` float32. The rows are orthogonal unit vectors, in
        falling order of the deviation of the styles along them.
      deviations: `[style_size]` float32, standard deviations along the axes, positive.
    """

    mean: np.ndarray
    axes: np.ndarray
    deviations: np.ndarray

    @classmethod
    def of_generator(cls, generator: Generator) -> "StyleDistribution":
        """Estimates the distribution from random latent vectors, always the same ones.

        Args:
          generator: The generator.

        Returns:
          The distribution.
        """
        shape = [_SAMPLES, generator.latent_size]
        # The first to ask for it may be a graph that is being built.
        with tf.init_scope():
            latents = tf.random.stateless_normal(shape, [0, _SAMPLES])
            styles = generator.styles(latents).numpy().astype(np.float64)
        mean = styles.mean(0)
        variances, columns = np.linalg.eigh(np.cov(styles - mean, rowvar=False))
        deviations = np.sqrt(np.maximum(variances[::-1], 0.0))
        axes = columns.T[::-1]
        # The sign of an axis is arbitrary; this makes it the same on all machines.
        largest = np.abs(axes).argmax(1)
        axes = axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]
        return cls(
            mean.astype(np.float32),
            axes.astype(np.float32),
            np.maximum(deviations, _LEAST_DEVIATION * deviations[0]).astype(np.float32),
        )

    def to_codes(self, styles: tf.Tensor) -> tf.Tensor:
        """Computes the codes `[batch, style_size]` of styles of that shape."""
        centred = styles - self.mean
        return tf.matmul(centred, self.axes, transpose_b=True) / self.deviations

    def to_styles(self, codes: tf.Tensor) -> tf.Tensor:
        """Computes the styles `[batch, style_size]` of codes of that shape."""
        return self.mean + tf.matmul(codes * self.deviations, self.axes)
