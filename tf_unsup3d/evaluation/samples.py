"""Random objects of a generator, and what a view of them shows."""

from collections.abc import Callable, Iterator

import tensorflow as tf
from tqdm import tqdm

from tf_unsup3d.models import precision
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.rendering.scene import Scene

_BATCH = 16

# Draws scenes from viewpoints [batch, 3] in radians: pictures [batch, size, size, 3] in
# [-1, 1], depth from the camera [batch, size, size] and mask [batch, size, size] bool.
Draw = Callable[[Scene, tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]


def sample_scenes(
    generator, viewpoints, count: int, *, seed: int = 0, name: str = "samples"
) -> Iterator[tuple[Scene, tf.Tensor]]:
    """Makes random objects with noise and all as in training, each with a viewpoint.

    Args:
      generator: latents to a `Scene`.
      viewpoints: the distribution p_v, with `sample(batch, seed)`.
      count: how many objects.
      seed: of everything random.
      name: shown beside the progress bar.

    Yields:
      Scenes of some objects, and their viewpoints [batch, 3] in radians.
    """
    dtype = precision.convolution_dtype("auto")

    @tf.function(jit_compile=False)
    def make(key):
        latents = tf.random.stateless_normal([_BATCH, generator.latent_size], key)
        views = viewpoints.sample(_BATCH, key + [1_000_003, 0])
        with precision.convolutions_in(dtype):
            return generator(latents, noise_seed=key + [2_000_003, 0]), views

    for first in tqdm(range(0, count, _BATCH), desc=name, disable=None):
        scene, views = make(tf.constant([seed, first // _BATCH], tf.int64))
        used = min(_BATCH, count - first)
        yield Scene(*(value[:used] for value in scene)), views[:used]


def depth_drawing(renderer) -> Draw:
    """Pictures as a renderer draws them, with the depth of what they show.

    Depth is that of the surface at the centres of the pixels: the renderer's soft layer
    pushes depth back at silhouettes, so for depth and mask it is off.

    Args:
      renderer: that draws the pictures.

    Returns:
      The function of scenes and viewpoints.
    """
    hard = Renderer.from_config({**renderer.get_config(), "margin": 0.0})

    @tf.function(jit_compile=False)
    def draw(scene, views):
        pictures, _ = renderer(scene, views)
        _, depth, mask = hard.maps(scene, views)
        return pictures, depth[..., 0], mask[..., 0] > 0.5

    return draw
