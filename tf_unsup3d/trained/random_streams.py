"""What a random number generator is used for, each use with numbers of its own.

All randomness of a step is a function of one key of two integers. The uses of a key
must not share their numbers: a viewpoint drawn from the numbers of the latent vector
would tell the generator where it is seen from.
"""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from tf_unsup3d.geometry.viewpoints import Viewpoints
from tf_unsup3d.models.generator import Generator
from tf_unsup3d.rendering.scene import Scene

# Added to the first of the two integers. They are as they were when the published
# generators were trained and measured.
_VIEWPOINTS = 1_000_003
_NOISE = 2_000_003
_LIGHT = 3_000_003
_VARIANCE = 3_000_017


class RandomScenes(NamedTuple):
    """Random objects and how they are seen.

    Attributes:
      scene: The objects.
      viewpoints: `[batch, 3]`, (yaw, pitch, roll) in radians of each object.
      light_seed: `[2]` integer, the seed of the lamps that the renderer draws them in.
    """

    scene: Scene
    viewpoints: tf.Tensor
    light_seed: tf.Tensor


def random_scenes(
    generator: Generator, viewpoints: Viewpoints, batch: int, key: tf.Tensor
) -> RandomScenes:
    """Draws objects, with noise as in training, and viewpoints.

    Args:
      generator: The `Generator`.
      viewpoints: The distribution p_v, with `sample(batch, seed)`.
      batch: Number of objects.
      key: `[2]` int64, all that they depend on.

    Returns:
      The objects, their viewpoints and the seed of their light.
    """
    latents = tf.random.stateless_normal([batch, generator.latent_size], key)
    return RandomScenes(
        generator(latents, noise_seed=key + [_NOISE, 0]),
        viewpoints.sample(batch, key + [_VIEWPOINTS, 0]),
        key + [_LIGHT, 0],
    )


def variance_key(seed: int) -> tf.Tensor:
    """The key of the viewpoints that the variance of pictures is parted over."""
    return tf.constant([seed, _VARIANCE], tf.int64)


def latents_of_seeds(seeds: Sequence[int], latent_size: int) -> tf.Tensor:
    """Numbered latent vectors.

    Args:
      seeds: Non-negative integers, one for each vector.
      latent_size: Length of the vectors.

    Returns:
      `[len(seeds), latent_size]`. Each depends on its own seed alone.
    """
    return tf.concat(
        [tf.random.stateless_normal([1, latent_size], [seed, 0]) for seed in seeds], 0
    )
