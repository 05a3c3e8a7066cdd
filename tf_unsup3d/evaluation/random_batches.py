"""Random objects of a trained model, batch by batch."""

from collections.abc import Iterator

import tensorflow as tf
from tqdm import tqdm

from tf_unsup3d.rendering.framing import Framing
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.random_streams import RandomScenes
from tf_unsup3d.trained.trained_model import RANDOM_BATCH_SIZE, TrainedModel


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
      Batches of objects with the viewpoints, the light seed and the framing that the
      `Renderer` takes.
    """
    size = RANDOM_BATCH_SIZE
    for first in tqdm(range(0, count, size), desc=name, disable=None):
        batch = model.random_batch(tf.constant([seed, first // size], tf.int64))
        used = min(size, count - first)
        framing = batch.framing
        yield RandomScenes(
            Scene(*(value[:used] for value in batch.scene)),
            batch.viewpoints[:used],
            batch.light_seed,
            framing and Framing(*(value[:used] for value in framing)),
        )
