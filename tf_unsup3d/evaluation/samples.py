"""Random objects of a model, what a view of them shows, and real pictures."""

from collections.abc import Callable, Iterator

import tensorflow as tf
from tqdm import tqdm

from tf_unsup3d.data.dataset import PictureSet
from tf_unsup3d.models import precision
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.random_streams import RandomScenes, random_scenes
from tf_unsup3d.trained.trained_model import TrainedModel

_BATCH = 16

# Draws scenes from viewpoints [batch, 3] in radians, in the light of a seed if given:
# pictures [batch, size, size, 3] in [-1, 1], depth from the camera [batch, size, size]
# and mask [batch, size, size] bool.
Draw = Callable[..., tuple[tf.Tensor, tf.Tensor, tf.Tensor]]


def random_batches(
    model: TrainedModel, count: int, *, seed: int = 0, name: str = "samples"
) -> Iterator[RandomScenes]:
    """Makes random objects, with noise and viewpoints as in training, batch by batch.

    Args:
      model: The model that makes them.
      count: Number of objects.
      seed: Seed of everything random.
      name: Text beside the progress bar.

    Yields:
      Some objects at a time, with what the `Renderer` needs to draw them.
    """
    dtype = precision.convolution_dtype("auto")

    @tf.function(jit_compile=False)
    def make(key):
        with precision.convolutions_in(dtype):
            return random_scenes(model.generator, model.viewpoints, _BATCH, key)

    for first in tqdm(range(0, count, _BATCH), desc=name, disable=None):
        batch = make(tf.constant([seed, first // _BATCH], tf.int64))
        used = min(_BATCH, count - first)
        yield RandomScenes(
            Scene(*(value[:used] for value in batch.scene)),
            batch.viewpoints[:used],
            batch.light_seed,
        )


def depth_drawing(renderer) -> Draw:
    """Pictures as a renderer draws them, with the depth of what they show.

    Depth is that of the surface at the centres of the pixels: the renderer's soft layer
    pushes depth back at silhouettes, so for depth and mask it is off.

    Args:
      renderer: that draws the pictures.

    Returns:
      The function of scenes, viewpoints and, if wanted, a seed for the light.
    """
    hard = renderer.replace(margin=0.0)

    @tf.function(jit_compile=False)
    def draw(scene, views, light_seed=None):
        drawn = renderer(scene, views, light_seed=light_seed, outputs=("picture",))
        surface = hard(scene, views, outputs=("depth", "mask"))
        return drawn["picture"], surface["depth"][..., 0], surface["mask"][..., 0] > 0.5

    return draw


def real_batches(
    pictures: PictureSet, batch_size: int, *, seed: int, mirror: bool
) -> tf.data.Dataset:
    """Real pictures in an order that hangs on the seed alone, each once.

    That of `PictureSet.batches` hangs on `tf.random.set_seed`, too, and with it on the
    seed of the training whose outcome is measured.

    Args:
      pictures: to take them from.
      batch_size: of all batches but the last.
      seed: of the order, and of which are mirrored.
      mirror: whether some are.

    Returns:
      Dataset of [batch_size, resolution, resolution, 3] float32 in [-1, 1].
    """
    tf.random.set_seed(seed)
    return pictures.batches(batch_size, seed=seed, mirror=mirror, repeat=False)
