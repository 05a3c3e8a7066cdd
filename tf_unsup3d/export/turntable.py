"""Objects turned all the way round."""

import math

import numpy as np
import tensorflow as tf

from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.trained_model import TrainedModel

# By default a picture has at least this height and width in pixels.
_SMALLEST_PICTURE = 128


def turntable(
    model: TrainedModel,
    scene: Scene,
    *,
    frames: int = 48,
    resolution: int | None = None,
    pitch_degrees: float = 0.0,
) -> np.ndarray:
    """Draws the frames of a video in which the objects of a scene turn once.

    The objects stand side by side in a grid that is about as wide as high. Backdrops
    stand still, because one that followed the object would jump once in every turn.

    Args:
      model: The model that made the scene.
      scene: The objects.
      frames: Number of frames of the turn.
      resolution: Height and width of the picture of each object in pixels; by default
        those of training, or the smallest multiple of them of at least 128 pixels.
      pitch_degrees: Pitch of all objects.

    Returns:
      `[frames, height, width, 3]` uint8. The last frame comes one step before the first
      view again, so that a repeated video turns evenly.
    """
    if resolution is None:
        resolution = model.resolution * -(-_SMALLEST_PICTURE // model.resolution)
    renderer = model.renderer.replace(
        resolution=resolution, background_range=(0.0, 0.0)
    )
    count = scene.vertices.shape[0]
    columns = math.ceil(math.sqrt(count))
    rows = -(-count // columns)
    drawn = np.full([frames, rows * columns, resolution, resolution, 3], 255, np.uint8)
    for frame in range(frames):
        viewpoint = [2.0 * math.pi * frame / frames, math.radians(pitch_degrees), 0.0]
        viewpoints = tf.constant([viewpoint] * count)
        views = renderer(scene, viewpoints, outputs=("picture",))["picture"]
        drawn[frame, :count] = to_uint8(views.numpy())
    grid = drawn.reshape(frames, rows, columns, resolution, resolution, 3)
    return grid.transpose(0, 1, 3, 2, 4, 5).reshape(
        frames, rows * resolution, columns * resolution, 3
    )
