"""Sheets of objects from several sides, as in Figure 1 of the paper."""

import numpy as np
import tensorflow as tf

from tf_unsup3d.export.pictures import depth_to_grey, normals_to_rgb, to_uint8
from tf_unsup3d.export.sheets import compose_sheet
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.trained_model import TrainedModel

# In degrees.
_YAWS = (-90.0, -45.0, 0.0, 45.0, 90.0, 135.0, 180.0)
# Views from all sides show the whole object, wherever it turns in training.
_MIDDLE = (0.0, 0.0, 0.0)


def scene_sheet(
    model: TrainedModel,
    scene: Scene,
    yaw_degrees: float = 0.0,
    pitch_degrees: float = 0.0,
) -> np.ndarray:
    """Draws a row for each object: its parts, and views from seven sides.

    The parts are the picture, the normals, the texture and the background. The views
    are turned about the middle of the object.

    Args:
      model: The model that made the scene.
      scene: The objects.
      yaw_degrees: Yaw of the picture and the normals.
      pitch_degrees: Pitch of the picture, the normals and the views.

    Returns:
      `[height, width, 3]` uint8.
    """
    front = model.draw(
        scene, yaw_degrees, pitch_degrees, outputs=("picture", "normals", "mask")
    )
    size = [model.resolution, model.resolution]
    texture, background = (
        tf.image.resize(picture, size, antialias=True).numpy()
        for picture in (scene.texture, scene.background)
    )
    columns = {
        "picture": to_uint8(front["picture"]),
        "normals": normals_to_rgb(front["normals"], front["mask"]),
        "texture": to_uint8(texture),
        "background": to_uint8(background),
    }
    for yaw in _YAWS:
        view = model.draw(scene, yaw, pitch_degrees, pivot=_MIDDLE)["picture"]
        columns[f"{yaw:.0f}°"] = to_uint8(view)
    return _compose_columns(list(columns.values()), list(columns))


def depth_sheet(
    model: TrainedModel, scene: Scene, pitch_degrees: float = 0.0
) -> np.ndarray:
    """Draws a row for each object: depth and normals from seven sides.

    Depth is white at the near side of the unit ball and black at its far side.

    Args:
      model: The model that made the scene.
      scene: The objects.
      pitch_degrees: Pitch of all views.

    Returns:
      `[height, width, 3]` uint8.
    """
    middle = model.camera.distance
    columns, titles = [], []
    for yaw in _YAWS:
        drawn = model.draw(
            scene,
            yaw,
            pitch_degrees,
            pivot=_MIDDLE,
            outputs=("normals", "depth", "mask"),
        )
        mask = drawn["mask"]
        columns.append(depth_to_grey(drawn["depth"], mask, middle - 1.0, middle + 1.0))
        columns.append(normals_to_rgb(drawn["normals"], mask))
        titles += [f"depth {yaw:.0f}°", "normals"]
    return _compose_columns(columns, titles)


def _compose_columns(columns: list[np.ndarray], titles: list[str]) -> np.ndarray:
    """The sheet of columns `[objects, height, width, 3]` uint8."""
    return compose_sheet([list(row) for row in zip(*columns, strict=True)], titles)
