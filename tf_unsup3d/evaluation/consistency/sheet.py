"""A sheet that shows one view drawn with the colours of another."""

import math

import numpy as np

from tf_unsup3d.evaluation.consistency.views import (
    Scenes,
    draw_view,
    object_radius,
    view_pair,
    yaw_differences,
)
from tf_unsup3d.evaluation.consistency.warp import warp
from tf_unsup3d.evaluation.drawing import Draw
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.export.sheets import compose_sheet
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.trained.configuration import Viewpoints

TITLES = ("A", "A warped to B", "B", "difference")
# Mean absolute difference that is shown white; colours range from 0 to 1.
_WHITE_DIFFERENCE = 0.25
_UNSEEN = 0.5


def consistency_sheet(
    draw: Draw,
    scenes: Scenes,
    viewpoints: Viewpoints,
    camera: PinholeCamera,
    count: int = 8,
) -> np.ndarray:
    """Draws a row for each of the first objects, at the largest difference in yaw.

    Differences of colour are black where there is none and white from 0.25 of the range
    on. Pixels that only one view sees are grey.

    Args:
      draw: Function that draws pictures and depth.
      scenes: The objects, at least `count` of them in the first batch.
      viewpoints: The distribution p_v.
      camera: Camera of the pictures.
      count: Number of rows.

    Returns:
      `[height, width, 3]` uint8.

    Raises:
      UserError: The range of yaw is too narrow, see `yaw_differences`.
    """
    difference = math.radians(max(yaw_differences(viewpoints)))
    largest_yaw = math.radians(viewpoints.limits[0])
    scene, middle, *_ = next(scenes())
    a, b = (
        draw_view(draw, scene, views)
        for views in view_pair(middle.numpy(), difference, largest_yaw)
    )
    warped = warp(a, b, object_radius(scene.vertices.numpy()), camera)
    seen = warped.seen[..., None]
    grey = 2.0 * _UNSEEN - 1.0
    error = 0.5 * np.abs(warped.pictures - b.pictures).mean(-1, keepdims=True)
    brightness = 2.0 * np.minimum(error / _WHITE_DIFFERENCE, 1.0) - 1.0
    columns = [
        a.pictures,
        np.where(seen, warped.pictures, grey),
        b.pictures,
        np.repeat(np.where(seen, brightness, grey), 3, -1),
    ]
    rows = zip(*(to_uint8(column[:count]) for column in columns), strict=True)
    return compose_sheet([list(row) for row in rows], TITLES)
