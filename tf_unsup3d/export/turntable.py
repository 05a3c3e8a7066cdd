"""Objects that turn, as the frames of a video."""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.trained_model import TrainedModel

# One turn. The last frame comes one step before the first view again, so that a
# repeated video turns evenly.
FULL_TURN = tuple(360.0 * frame / 48 for frame in range(48))
# By default a picture has at least this height and width in pixels.
_SMALLEST_PICTURE = 128


def turntable(
    model: TrainedModel,
    scene: Scene,
    *,
    yaws_degrees: Sequence[float] = FULL_TURN,
    resolution: int | None = None,
    pitch_degrees: float = 0.0,
) -> np.ndarray:
    """Draws the frames of a video in which the objects of a scene turn.

    The objects turn about their middle. They stand side by side in a grid that is at
    most twice as wide as high.
    Cells without an object are white. Backdrops stand still, because one that followed
    the object would jump once in every turn.

    Args:
      model: The model that made the scene.
      scene: The objects.
      yaws_degrees: Yaw of the objects in each frame; by default one turn in 48 frames.
      resolution: Height and width of the picture of each object in pixels; by default
        those of training, or the smallest multiple of them of at least 128 pixels.
      pitch_degrees: Pitch of all objects.

    Returns:
      `[frames, height, width, 3]` uint8.
    """
    if resolution is None:
        resolution = model.resolution * -(-_SMALLEST_PICTURE // model.resolution)
    renderer = model.renderer.replace(
        resolution=resolution, background_range=(0.0, 0.0), pivot=(0.0, 0.0, 0.0)
    )
    count = scene.vertices.shape[0]
    rows, columns = _grid(count)
    frames = len(yaws_degrees)
    drawn = np.full([frames, rows * columns, resolution, resolution, 3], 255, np.uint8)
    for frame, yaw in zip(drawn, yaws_degrees, strict=True):
        viewpoint = [math.radians(yaw), math.radians(pitch_degrees), 0.0]
        viewpoints = tf.constant([viewpoint] * count)
        views = renderer(scene, viewpoints, outputs=("picture",))["picture"]
        frame[:count] = to_uint8(views.numpy())
    grid = drawn.reshape(frames, rows, columns, resolution, resolution, 3)
    return grid.transpose(0, 1, 3, 2, 4, 5).reshape(
        frames, rows * resolution, columns * resolution, 3
    )


def _grid(count: int) -> tuple[int, int]:
    """Chooses the rows and columns of a grid of `count` cells.

    A grid without empty cells is preferred, unless it is more than twice as wide as
    high. Otherwise the grid is as square as possible.
    """
    side = math.ceil(math.sqrt(count))
    for columns in range(side, count + 1):
        rows = count // columns
        if rows * columns == count and columns <= 2 * rows:
            return rows, columns
    return -(-count // side), side
