"""Objects turned all the way round."""

import math

import numpy as np

from tf_unsup3d.export.maps import to_uint8
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.trained_model import TrainedModel

# A picture in the grid has at least this height and width in pixels.
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

    Args:
      model: The model that the scene is of.
      scene: The objects, which stand side by side in a grid about as wide as high.
      frames: Number of frames of a whole turn.
      resolution: Height and width of the picture of each object; by default that of
        training, or a multiple of it of at least 128 pixels.
      pitch_degrees: Pitch of all pictures.

    Returns:
      [frames, height, width, 3] uint8.
    """
    if resolution is None:
        resolution = model.resolution * -(-_SMALLEST_PICTURE // model.resolution)
    count = scene.vertices.shape[0]
    columns = math.ceil(math.sqrt(count))
    rows = -(-count // columns)
    drawn = np.full([frames, rows * columns, resolution, resolution, 3], 255, np.uint8)
    for frame in range(frames):
        views = model.draw(
            scene, 360.0 * frame / frames, pitch_degrees, resolution=resolution
        )
        drawn[frame, :count] = to_uint8(views["picture"])
    grid = drawn.reshape(frames, rows, columns, resolution, resolution, 3)
    return grid.transpose(0, 1, 3, 2, 4, 5).reshape(
        frames, rows * resolution, columns * resolution, 3
    )
