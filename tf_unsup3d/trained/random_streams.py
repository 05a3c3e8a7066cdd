"""Separate streams of random numbers for separate purposes.

All randomness of a step is a function of one key of two integers. No two purposes may
share random numbers: a viewpoint drawn from the same numbers as the latent vector would
tell the generator from where its object is seen.
"""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from tf_unsup3d.geometry.viewpoints import Viewpoints
from tf_unsup3d.models.generator import Generator
from tf_unsup3d.rendering.scene import Scene

# Offsets to the first of the two integers. The published generators were trained and
# measured with these values.
_VIEWPOINTS = 1_000_003
_NOISE = 2_000_003
_LIGHT = 3_000_003
_VARIANCE = 3_000_017


class RandomScenes(NamedTuple):
    """Random objects with their viewpoints and light.

    Attributes:
      scene: The objects.
      viewpoints: `[batch, 3]` (yaw, pitch, roll) in radians of each object.
      light_seed: `[2]` int64 seed of the renderer's random lamps.
    """

    scene: Scene
    viewpoints: tf.Tensor
    light_seed: tf.Tensor


def random_scenes(
    generator: Generator, viewpoints: Viewpoints, batch: int, key: tf.Tensor
) -> RandomScenes:
    """Draws random objects, with noise as in training, and their viewpoints.

    Args:
      generator: The generator of the objects.
      viewpoints: The distribution p_v of the viewpoints.
      batch: Number of objects.
      key: `[2]` int64 key of all random numbers.

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
    """The key `[2]` int64 of the viewpoints for the decomposition of variance."""
    return tf.constant([seed, _VARIANCE], tf.int64)


def latents_of_seeds(seeds: Sequence[int] | tf.Tensor, latent_size: int) -> tf.Tensor:
    """Draws numbered latent vectors.

    Args:
      seeds: `[batch]` integers, one for each vector.
      latent_size: Length of the vectors.

    Returns:
      `[batch, latent_size]` float32. Each vector depends on its own seed only.
    """

    def draw(seed: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_normal([latent_size], tf.stack([seed, 0]))

    return tf.map_fn(
        draw,
        tf.convert_to_tensor(seeds, tf.int64),
        fn_output_signature=tf.TensorSpec([latent_size], tf.float32),
    )
