"""Separate streams of random numbers for all that is drawn for an object.

All randomness of a step is a function of one key of two integers. Nothing that is drawn
for an object may share its random numbers: a viewpoint drawn from the same numbers as
the latent vector would tell the generator from where its object is seen. What is drawn
elsewhere may: evaluation with the seed of a training draws the objects that this drew
in its first steps, each of which it saw once.
"""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from tf_unsup3d.geometry.viewpoints import Viewpoints
from tf_unsup3d.models.batch_part import WHOLE_BATCH, BatchPart
from tf_unsup3d.models.generator import Generator
from tf_unsup3d.rendering.framing import Framing
from tf_unsup3d.rendering.scene import Scene

# Offsets to the first of the two integers. The published generators were trained and
# measured with these values.
_VIEWPOINTS = 1_000_003
_NOISE = 2_000_003
_LIGHT = 3_000_003
_SECOND_LATENTS = 6_000_011
_CROSSOVERS = 7_000_003
_AUGMENTATION_OF_REAL = 8_000_009
_AUGMENTATION_OF_DRAWN = 9_000_011
_VARIANCE = 3_000_017
_ENCODER = 4_000_037
_CALIBRATION = 5_000_011


class RandomViews(NamedTuple):
    """From where objects are seen.

    Attributes:
      viewpoints: `[batch, 3]` (yaw, pitch, roll) in radians.
      framing: How the pictures are framed, or None: as the camera has them.
    """

    viewpoints: tf.Tensor
    framing: Framing | None


class RandomScenes(NamedTuple):
    """Random objects with their viewpoints and light.

    A `Renderer` takes them by these names.

    Attributes:
      scene: The objects.
      viewpoints: `[batch, 3]` (yaw, pitch, roll) in radians of each object.
      light_seed: `[2]` int64 seed of the renderer's random lamps, for the whole batch
        where the objects are a part of one.
      framing: How the pictures are framed, or None: as the camera has them.
    """

    scene: Scene
    viewpoints: tf.Tensor
    light_seed: tf.Tensor
    framing: Framing | None


def random_scenes(
    generator: Generator,
    viewpoints: Viewpoints,
    batch: int,
    key: tf.Tensor,
    spread: tf.Tensor | None = None,
    part: BatchPart = WHOLE_BATCH,
    style_mixing: float = 0.0,
) -> RandomScenes:
    """Draws random objects, with noise as in training, and their viewpoints.

    Args:
      generator: The generator of the objects.
      viewpoints: The distribution p_v of the viewpoints.
      batch: Number of objects in the whole batch.
      key: `[2]` int64 key of all random numbers.
      spread: `[3]` factors by which yaw, pitch and roll are multiplied, or None.
      part: The part of the batch to make.
      style_mixing: Probability that the fine levels of an object, from a random one on,
        have another style than its coarse levels.

    Returns:
      The objects, their viewpoints and the seed of their light.
    """
    if style_mixing:
        styles = part.of(_mixed_styles(generator, batch, key, style_mixing))
        scene = generator.synthesize(styles, key + [_NOISE, 0], part)
    else:
        latents = part.of(random_latents(generator, batch, key))
        scene = generator(latents, noise_seed=key + [_NOISE, 0], part=part)
    views = random_views(viewpoints, batch, key + [_VIEWPOINTS, 0], spread, part)
    return RandomScenes(scene, views.viewpoints, key + [_LIGHT, 0], views.framing)


def random_views(
    viewpoints: Viewpoints,
    batch: int,
    seed: tf.Tensor,
    spread: tf.Tensor | None = None,
    part: BatchPart = WHOLE_BATCH,
) -> RandomViews:
    """Draws viewpoints, and aligns the pictures where p_v is that of aligned ones.

    Args:
      viewpoints: The distribution p_v of the viewpoints.
      batch: Number of viewpoints in the whole batch.
      seed: `[2]` integer seed.
      spread: `[3]` factors by which yaw, pitch and roll are multiplied, or None.
      part: The part of the batch to make.

    Returns:
      The viewpoints and the framing of the pictures.
    """
    drawn = part.of(viewpoints.sample(batch, seed))
    drawn, scale = viewpoints.align(drawn if spread is None else spread * drawn)
    if scale is None:
        return RandomViews(drawn, None)
    return RandomViews(drawn, Framing(tf.zeros([tf.shape(scale)[0], 2]), scale))


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


def _mixed_styles(
    generator: Generator, batch: int, key: tf.Tensor, probability: float
) -> tf.Tensor:
    """Styles `[batch, levels, style_size]`, some of which change at a random level."""
    coarse, fine = (
        generator.styles(random_latents(generator, batch, key + [offset, 0]))
        for offset in (0, _SECOND_LATENTS)
    )
    chances, places = tf.unstack(
        tf.random.stateless_uniform([batch, 2], key + [_CROSSOVERS, 0]), axis=-1
    )
    levels = generator.levels
    crossovers = 1 + tf.cast(tf.floor(places * (levels - 1)), tf.int32)
    crossovers = tf.where(chances < probability, crossovers, levels)
    is_fine = tf.range(levels) >= crossovers[:, None]
    return tf.where(is_fine[..., None], fine[:, None], coarse[:, None])


def augmentation_keys(key: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The keys `[2]` int64 of what is changed in real and in drawn pictures."""
    return key + [_AUGMENTATION_OF_REAL, 0], key + [_AUGMENTATION_OF_DRAWN, 0]


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
