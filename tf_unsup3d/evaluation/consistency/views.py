"""Views of objects, and the viewpoints that are compared."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.drawing import Draw
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.configuration import Viewpoints
from tf_unsup3d.trained.random_streams import RandomScenes

# Degrees of yaw between the two views of a pair.
YAW_DIFFERENCES = (10.0, 20.0, 40.0)

# A function that yields batches of objects, the same ones at each call.
Scenes = Callable[[], Iterator[RandomScenes]]


@dataclasses.dataclass(frozen=True, eq=False)
class View:
    """One view of each of several objects.

    Attributes:
      pictures: `[objects, size, size, 3]` in [-1, 1].
      depth: `[objects, size, size]`, depth from the camera; arbitrary outside the mask.
      mask: `[objects, size, size]` bool.
      viewpoints: `[objects, 3]`, (yaw, pitch, roll) in radians.
    """

    pictures: np.ndarray
    depth: np.ndarray
    mask: np.ndarray
    viewpoints: np.ndarray


def draw_view(draw: Draw, scene: Scene, viewpoints: np.ndarray) -> View:
    """Draws one view of each object.

    Args:
      draw: Function that draws pictures and depth.
      scene: The objects.
      viewpoints: `[objects, 3]`, (yaw, pitch, roll) in radians.

    Returns:
      The view.
    """
    pictures, depth, mask = draw(scene, tf.constant(viewpoints, tf.float32))
    return View(pictures.numpy(), depth.numpy(), mask.numpy(), viewpoints)


def view_pair(
    viewpoints: np.ndarray, difference: float, largest_yaw: float
) -> tuple[np.ndarray, np.ndarray]:
    """Puts two viewpoints around each viewpoint, within the range of yaw.

    Args:
      viewpoints: `[objects, 3]`, (yaw, pitch, roll) in radians.
      difference: Difference in yaw between the two, in radians, at most twice
        `largest_yaw`.
      largest_yaw: Largest yaw of p_v, in radians.

    Returns:
      Two arrays `[objects, 3]` that are `difference` apart in yaw and equal in pitch
      and roll.
    """
    limit = largest_yaw - 0.5 * difference
    middle = np.array(viewpoints, np.float32)
    middle[:, 0] = np.clip(middle[:, 0], -limit, limit)
    aside = np.array([0.5 * difference, 0.0, 0.0], np.float32)
    return middle - aside, middle + aside


def yaw_differences(viewpoints: Viewpoints) -> list[float]:
    """Chooses the `YAW_DIFFERENCES` for which both views are within p_v.

    Args:
      viewpoints: The distribution p_v.

    Returns:
      The differences in degrees, at least one.

    Raises:
      UserError: The range of yaw is narrower than the smallest difference.
    """
    range_of_yaw = 2.0 * viewpoints.limits[0]
    possible = [d for d in YAW_DIFFERENCES if d <= range_of_yaw + 1e-6]
    if not possible:
        raise UserError(
            f"consistency compares views {YAW_DIFFERENCES[0]:g} degrees of yaw apart, "
            f"but the run's viewpoints span {range_of_yaw:g}"
        )
    return possible


def object_radius(vertices: np.ndarray) -> np.ndarray:
    """Computes the size of objects, which `Generator.radius` usually sets.

    Args:
      vertices: `[objects, vertices, 3]`.

    Returns:
      `[objects]`, the RMS distance of the vertices from their mean.
    """
    centred = vertices - vertices.mean(1, keepdims=True)
    return np.sqrt(np.sum(centred**2, -1).mean(1))
