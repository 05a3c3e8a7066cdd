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
_ENCODER = 4_000_037
_CALIBRATION = 5_000_011


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
    generator: Generator,
    viewpoints: Viewpoints,
    batch: int,
    key: tf.Tensor,
    spread: tf.Tensor | None = None,
) -> RandomScenes:
    """Draws random objects, with noise as in training, and their viewpoints.

    Args:
      generator: The generator of the objects.
      viewpoints: The distribution p_v of the viewpoints.
      batch: Number of objects.
      key: `[2]` int64 key of all random numbers.
      spread: `[3]` factors by which yaw, pitch and roll are multiplied, or None.

    Returns:
      The objects, their viewpoints and the seed of their light.
    """
    latents = random_latents(generator, batch, key)
    views = viewpoints.sample(batch, key + [_VIEWPOINTS, 0])
    return RandomScenes(
        generator(latents, noise_seed=key + [_NOISE, 0]),
        views if spread is None else spread * views,
        key + [_LIGHT, 0],
    )


def random_latents(generator: Generator, batch: int, key: tf.Tensor) -> tf.Tensor:
    """Draws the latent vectors of the objects that `random_scenes` makes.

    Args:
      generator: The generator of the objects.
      batch: Number of objects.
      key: `[2]` int64 key of all random numbers.

    Returns:
      `[batch, latent_size]` float32.
    """
    return tf.random.stateless_normal([batch, generator.latent_size], key)


def encoder_key(seed: int, step: int) -> tf.Tensor:
    """The key `[2]` int64 of the pictures of a step in the training of an encoder."""
    return tf.constant([seed + _ENCODER, step], tf.int64)


def calibration_key(seed: int, batch: int) -> tf.Tensor:
    """The key `[2]` int64 of a batch of samples that no encoder is trained on."""
    return tf.constant([seed + _CALIBRATION, batch], tf.int64)


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
