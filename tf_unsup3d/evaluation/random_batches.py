"""Random objects of a trained model, batch by batch."""

from collections.abc import Iterator

import tensorflow as tf
from tqdm import tqdm

from tf_unsup3d.models import precision
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.random_streams import RandomScenes, random_scenes
from tf_unsup3d.trained.trained_model import TrainedModel

_BATCH_SIZE = 16


def random_batches(
    model: TrainedModel, count: int, *, seed: int = 0, name: str = "samples"
) -> Iterator[RandomScenes]:
    """Generates random objects, with noise and viewpoints as in training.

    Args:
      model: The model whose generator makes the objects.
      count: Number of objects.
      seed: Seed of all random numbers. The first objects of a seed are the same for
        every `count`.
      name: Label of the progress bar.

    Yields:
      Batches of objects with the viewpoints and the light seed that the `Renderer`
      takes.
    """
    dtype = precision.convolution_dtype("auto")

    @tf.function(jit_compile=False)
    def make(key: tf.Tensor) -> RandomScenes:
        with precision.convolutions_in(dtype):
            return random_scenes(model.generator, model.viewpoints, _BATCH_SIZE, key)

    for first in tqdm(range(0, count, _BATCH_SIZE), desc=name, disable=None):
        batch = make(tf.constant([seed, first // _BATCH_SIZE], tf.int64))
        used = min(_BATCH_SIZE, count - first)
        yield RandomScenes(
            Scene(*(value[:used] for value in batch.scene)),
            batch.viewpoints[:used],
            batch.light_seed,
        )
