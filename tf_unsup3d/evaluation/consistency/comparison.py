"""Two views of each of some objects, and the variance of many views of them."""

import dataclasses
import math
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.consistency.variance import variance_shares
from tf_unsup3d.evaluation.consistency.views import (
    PairErrors,
    View,
    compare_views,
    object_radius,
)
from tf_unsup3d.evaluation.distribution.features import FeatureNetwork
from tf_unsup3d.evaluation.samples import Draw
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.random_streams import variance_key

# Degrees between the two views of a pair.
YAW_DIFFERENCES = (10.0, 20.0, 40.0)
# Viewpoints that every object is seen from, to part the variance.
VIEWPOINTS = 16

# Objects with their viewpoints, from the first again at each call.
Scenes = Callable[[], Iterator[tuple[Scene, tf.Tensor, tf.Tensor]]]


def view_pair(
    viewpoints: np.ndarray, difference: float, largest_yaw: float
) -> tuple[np.ndarray, np.ndarray]:
    """Viewpoints to both sides of others, within the range of yaw.

    Args:
      viewpoints: [objects, 3] (yaw, pitch, roll) in radians.
      difference: of yaw between the two, in radians, at most 2 `largest_yaw`.
      largest_yaw: that p_v gives, in radians.

    Returns:
      Two arrays [objects, 3]: `difference` apart in yaw, with the same pitch and roll.
    """
    limit = largest_yaw - 0.5 * difference
    middle = np.array(viewpoints, np.float32)
    middle[:, 0] = np.clip(middle[:, 0], -limit, limit)
    aside = np.float32([0.5 * difference, 0.0, 0.0])
    return middle - aside, middle + aside


def look(draw: Draw, scene: Scene, viewpoints: np.ndarray) -> View:
    """Draws a view of each object.

    Args:
      draw: that draws pictures and depth.
      scene: of some objects.
      viewpoints: [objects, 3] (yaw, pitch, roll) in radians.

    Returns:
      The view.
    """
    drawn = draw(scene, tf.constant(viewpoints, tf.float32))
    return View(*(value.numpy() for value in drawn), viewpoints)


def yaw_differences(viewpoints) -> list[float]:
    """Those of `YAW_DIFFERENCES` that both views can be within p_v for, in degrees.

    Args:
      viewpoints: the distribution p_v, with its `limits`.

    Raises:
      UserError: if there are none.
    """
    range_of_yaw = 2.0 * viewpoints.limits[0]
    possible = [d for d in YAW_DIFFERENCES if d <= range_of_yaw + 1e-6]
    if not possible:
        raise UserError(
            f"consistency compares views {YAW_DIFFERENCES[0]:g} degrees of yaw apart, "
            f"but the run's viewpoints span {range_of_yaw:g}"
        )
    return possible


def measure_pairs(
    draw: Draw, scenes: Scenes, viewpoints, camera: PinholeCamera = PinholeCamera()
) -> dict[str, dict[str, float]]:
    """Compares two views of each object, for each difference of yaw.

    Args:
      draw: that draws pictures and depth.
      scenes: the objects, each with a viewpoint that the two are put around.
      viewpoints: the distribution p_v, with its `limits`.
      camera: The camera of the pictures.

    Returns:
      See `ConsistencyReport.pairs`.

    Raises:
      UserError: see `yaw_differences`.
    """
    differences = yaw_differences(viewpoints)
    found = {difference: [] for difference in differences}
    largest_yaw = math.radians(viewpoints.limits[0])
    for scene, middle, _ in scenes():
        radius = object_radius(scene.vertices.numpy())
        for difference in differences:
            pair = view_pair(middle.numpy(), math.radians(difference), largest_yaw)
            a, b = (look(draw, scene, views) for views in pair)
            found[difference].append(compare_views(a, b, radius, camera))
    return {f"{difference:g}": _summary(parts) for difference, parts in found.items()}


def _summary(parts: list[PairErrors]) -> dict[str, float]:
    values = {}
    for field in dataclasses.fields(PairErrors):
        each = np.concatenate([getattr(part, field.name) for part in parts])
        used = each[np.isfinite(each)]
        values[field.name] = float(used.mean()) if used.size else float("nan")
        values[f"{field.name}_std"] = float(used.std()) if used.size else 0.0
    missed = [np.isnan(part.reprojection).sum() for part in parts]
    return values | {"missed": int(sum(missed))}


def measure_variance(
    draw: Draw, scenes: Scenes, viewpoints, network: FeatureNetwork, seed: int
) -> dict[str, dict[str, float]]:
    """Parts the variance of the pictures of all objects from the same viewpoints.

    Args:
      draw: that draws pictures.
      scenes: the objects.
      viewpoints: the distribution p_v, with `sample(batch, seed)`.
      network: of the features.
      seed: of the viewpoints.

    Returns:
      See `ConsistencyReport.variance`.
    """
    views = viewpoints.sample(VIEWPOINTS, variance_key(seed))
    pictures = []
    for scene, _, _ in scenes():
        count = scene.vertices.shape[0]
        seen = [draw(scene, tf.tile(view[None], [count, 1]))[0] for view in views]
        pictures.append(to_uint8(tf.stack(seen, 1).numpy()))
    pictures = np.concatenate(pictures)
    # The views of an object are a batch.
    features = network.features(pictures).reshape(*pictures.shape[:2], -1)
    return {
        "pixels": variance_shares(pictures),
        "features": variance_shares(features),
    }
