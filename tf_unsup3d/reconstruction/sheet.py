"""A sheet that shows pictures, what they were reconstructed as, and other views."""

import numpy as np

from tf_unsup3d.export.pictures import depth_to_grey, normals_to_rgb, to_uint8
from tf_unsup3d.export.sheets import compose_sheet
from tf_unsup3d.export.texture_fill import fill_hidden_texture
from tf_unsup3d.reconstruction.reconstructor import Reconstruction
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.trained_model import TrainedModel

# Views of the object, and its back, in degrees of yaw.
_YAWS = (-60.0, -30.0, 0.0, 30.0, 60.0, 180.0)
_MIDDLE = (0.0, 0.0, 0.0)
# Differences of colours, from 0 to 1, are drawn so many times as large.
_ERROR_GAIN = 4.0


def reconstruction_sheet(
    model: TrainedModel, reconstruction: Reconstruction, filled: Scene | None = None
) -> np.ndarray:
    """Draws a row for each picture.

    It shows the picture, the fit, their difference (four times as large), the normals
    and the depth of the fit, and the object from five sides and from the back, in the
    light from the middle of the ranges. The label of a picture that is not explained
    is "flagged".

    Args:
      model: The model.
      reconstruction: The pictures and their reconstruction.
      filled: The objects with filled textures, if they have been computed before; see
        `fill_hidden_texture`.

    Returns:
      `[height, width, 3]` uint8.
    """
    pictures, fits = reconstruction.pictures, reconstruction.fits
    surface = model.renderer(
        reconstruction.scene,
        np.radians(reconstruction.viewpoints_degrees),
        outputs=("normals", "depth", "mask"),
        framing=reconstruction.framing,
    )
    normals, depth, mask = (
        surface[name].numpy() for name in ("normals", "depth", "mask")
    )
    middle = model.camera.distance
    difference = np.abs(fits - pictures).mean(-1, keepdims=True)
    error = np.repeat(_ERROR_GAIN * difference - 1.0, 3, -1)
    columns = {
        "picture": to_uint8(pictures),
        "fit": to_uint8(fits),
        "error x 4": to_uint8(error),
        "normals": normals_to_rgb(normals, mask),
        "depth": depth_to_grey(depth, mask, middle - 1.0, middle + 1.0),
    }
    filled = filled or fill_hidden_texture(model, reconstruction.scene)
    for yaw in _YAWS:
        columns[f"{yaw:.0f}°"] = _view(model, filled, yaw)
    labels = ["flagged" if flags else "" for flags in reconstruction.flags]
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return compose_sheet(rows, list(columns), labels)


def _view(model: TrainedModel, scene: Scene, yaw: float) -> np.ndarray:
    return to_uint8(model.draw(scene, yaw, pivot=_MIDDLE)["picture"])
