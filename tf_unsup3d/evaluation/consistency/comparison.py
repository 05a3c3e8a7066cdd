"""Two views of each object, compared pixel by pixel."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from tf_unsup3d.evaluation.consistency.views import (
    Scenes,
    View,
    draw_view,
    object_radius,
    view_pair,
    yaw_differences,
)
from tf_unsup3d.evaluation.consistency.warp import warp
from tf_unsup3d.evaluation.drawing import Draw
from tf_unsup3d.evaluation.summary import summarize
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.trained.configuration import Viewpoints

# A pair with fewer pixels in common counts as missed.
_FEWEST_PIXELS = 16


@dataclasses.dataclass(frozen=True, eq=False)
class PairErrors:
    """Agreement of two views of each object; NaN where they have too little in common.

    Attributes:
      reprojection: `[objects]`, mean absolute difference between B and A warped to B;
        colours range from 0 to 1.
      RE: `[objects]`, mean squared difference between the same two; colours range from
        -1 to 1. This is the reprojection error of Wang et al. (2023) over the compared
        pixels.
      unwarped: `[objects]`, mean absolute difference between B and A as it is, at the
        same pixels.
      depth_median: `[objects]`, median absolute error of the depth, in radii of the
        object.
      depth_mean: `[objects]`, mean absolute error of the depth, in radii of the object.
      seen: `[objects]`, fraction of the pixels of B's mask that were compared.
    """

    reprojection: np.ndarray
    RE: np.ndarray
    unwarped: np.ndarray
    depth_median: np.ndarray
    depth_mean: np.ndarray
    seen: np.ndarray


def compare_views(
    a: View, b: View, radius: np.ndarray, camera: PinholeCamera
) -> PairErrors:
    """Measures how well two views of each object agree, see `warp`.

    Args:
      a: View of the objects.
      b: View of the same objects from other viewpoints.
      radius: `[objects]`, radius of each object, see `object_radius`.
      camera: Camera of both views.

    Returns:
      The errors of each object.
    """
    warped = warp(a, b, radius, camera)
    count = warped.seen.sum((1, 2))
    missed = count < _FEWEST_PIXELS

    def over_seen(
        values: np.ndarray, statistic: Callable[[np.ndarray], float]
    ) -> np.ndarray:
        pairs = zip(values, warped.seen, missed, strict=True)
        return np.array([np.nan if m else statistic(v[s]) for v, s, m in pairs])

    difference = warped.pictures - b.pictures
    # Colours range over 2.
    reprojection = 0.5 * np.abs(difference).mean(-1)
    unwarped = 0.5 * np.abs(a.pictures - b.pictures).mean(-1)
    depth = np.abs(warped.depth_error) / radius[:, None, None]
    return PairErrors(
        reprojection=over_seen(reprojection, np.mean),
        RE=over_seen((difference**2).mean(-1), np.mean),
        unwarped=over_seen(unwarped, np.mean),
        depth_median=over_seen(depth, np.median),
        depth_mean=over_seen(depth, np.mean),
        seen=count / np.maximum(b.mask.sum((1, 2)), 1),
    )


def compare_pairs(
    draw: Draw, scenes: Scenes, viewpoints: Viewpoints, camera: PinholeCamera
) -> dict[str, dict[str, float]]:
    """Compares two views of each object, for each difference in yaw.

    Args:
      draw: Function that draws pictures and depth.
      scenes: The objects; the two views lie on either side of an object's viewpoint.
      viewpoints: The distribution p_v.
      camera: Camera of the pictures.

    Returns:
      See `ConsistencyReport.pairs`.

    Raises:
      UserError: The range of yaw is too narrow, see `yaw_differences`.
    """
    differences = yaw_differences(viewpoints)
    found: dict[float, list[PairErrors]] = {value: [] for value in differences}
    largest_yaw = math.radians(viewpoints.limits[0])
    for scene, middle, *_ in scenes():
        radius = object_radius(scene.vertices.numpy())
        for difference in differences:
            pair = view_pair(middle.numpy(), math.radians(difference), largest_yaw)
            a, b = (draw_view(draw, scene, views) for views in pair)
            found[difference].append(compare_views(a, b, radius, camera))
    return {f"{difference:g}": _summary(parts) for difference, parts in found.items()}


def _summary(parts: list[PairErrors]) -> dict[str, float]:
    errors = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in dataclasses.fields(PairErrors)
    }
    missed = int(np.isnan(errors["reprojection"]).sum())
    return summarize(errors) | {"missed": missed}
