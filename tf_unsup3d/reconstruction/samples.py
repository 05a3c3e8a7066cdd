"""A generator's own samples, together with what they were made from."""

from typing import NamedTuple

import tensorflow as tf

from tf_unsup3d.rendering.framing import Framing
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.random_streams import (
    random_latents,
    random_scenes,
    random_views,
)
from tf_unsup3d.trained.trained_model import TrainedModel


class LabelledSamples(NamedTuple):
    """Pictures of random objects, and the true values of what an encoder estimates.

    Attributes:
      pictures: `[batch, resolution, resolution, 3]` in [-1, 1].
      codes: `[batch, style_size]`; see `StyleDistribution`.
      viewpoints: `[batch, 3]` (yaw, pitch, roll) in radians.
      framing: How the pictures are framed.
      light: `[batch, light_size]` parameters in [0, 1]; see `RandomLamps.lights`.
    """

    pictures: tf.Tensor
    codes: tf.Tensor
    viewpoints: tf.Tensor
    framing: Framing
    light: tf.Tensor


def light_size(model: TrainedModel) -> int:
    """The number of parameters of the light of a picture; 0 without lamps."""
    lamps = model.renderer.lamps
    return lamps.parameters if lamps else 0


def draw_samples(
    model: TrainedModel,
    objects: int,
    key: tf.Tensor,
    views: int = 1,
    *,
    framing: Framing | None = None,
) -> LabelledSamples:
    """Draws random objects as in training, with noise and in random light.

    Args:
      model: The model.
      objects: Number of objects.
      key: `[2]` int64 key of all random numbers.
      views: Number of pictures of each object, each from another viewpoint and in
        another light. It takes much less time to draw an object than to generate it.
      framing: How the `objects * views` pictures are framed, compared with training.

    Returns:
      `objects * views` samples.
    """
    generator, distribution = model.generator, model.style_distribution
    scene, viewpoints, light_seed, aligned = random_scenes(
        generator, model.viewpoints, objects, key
    )
    codes = distribution.to_codes(
        generator.styles(random_latents(generator, objects, key))
    )
    if views > 1:
        scene = Scene(*(tf.repeat(value, views, 0) for value in scene))
        codes = tf.repeat(codes, views, 0)
        # Other viewpoints than those of `random_scenes`, which are one for an object.
        viewpoints, aligned = random_views(
            model.viewpoints, objects * views, light_seed + [1, 0]
        )
    count = objects * views
    framing = framing or Framing(tf.zeros([count, 2]), tf.ones([count]))
    if aligned is not None:
        framing = framing._replace(scale=framing.scale * aligned.scale)
    light, lights = tf.zeros([count, 0]), None
    if model.renderer.lamps is not None:
        light = model.renderer.lamps.sample_parameters(count, light_seed)
        lights = model.renderer.lamps.lights(light)
    drawn = model.renderer(
        scene, viewpoints, outputs=("picture",), lights=lights, framing=framing
    )
    return LabelledSamples(drawn["picture"], codes, viewpoints, framing, light)
