"""One view of an object, drawn with the colours of another by way of its depth."""

import dataclasses

import numpy as np
import tensorflow as tf

from tf_unsup3d.evaluation.consistency.views import View
from tf_unsup3d.evaluation.masks import erode
from tf_unsup3d.evaluation.pixel_width import pixel_width
from tf_unsup3d.geometry.viewpoints import rotation_matrices
from tf_unsup3d.rendering.camera import PinholeCamera

# A point that lies farther behind the surface than this is hidden by it, in radii of
# the object.
OCCLUSION = 0.1
# Depth that changes by more than this between neighbouring pixels cannot be
# interpolated, in widths of a pixel: there is an edge, or the surface is seen at a
# grazing angle.
_STEEPEST = 3.0


@dataclasses.dataclass(frozen=True, eq=False)
class Warped:
    """View A as seen from the viewpoints of view B.

    Outside `seen` the other values are arbitrary.

    Attributes:
      pictures: `[objects, size, size, 3]` in [-1, 1], the colours of A at the pixels
        of B.
      depth_error: `[objects, size, size]`, the depth in A of the points that the pixels
        of B show, minus the depth of A's surface there.
      seen: `[objects, size, size]` bool, the pixels of B whose point A sees too.
    """

    pictures: np.ndarray
    depth_error: np.ndarray
    seen: np.ndarray


def warp(a: View, b: View, radius: np.ndarray, camera: PinholeCamera) -> Warped:
    """Draws B with the colours of A.

    Each pixel of B is taken to its point by the depth of B, turned from B's viewpoint
    to that of A, and projected; the colour and the depth of A there are interpolated
    bilinearly.

    A pixel counts as seen if it is in B's mask, its four neighbours in A are in A's
    mask and differ little in depth, and its point is not hidden in A. Both masks are
    eroded by one pixel. A point is hidden if it lies more than `OCCLUSION` radii
    behind A's surface. A point in front of the surface, however far, is not hidden but
    wrong, so it counts as seen.

    Args:
      a: View that the colours are taken from.
      b: View of the same objects from other viewpoints.
      radius: `[objects]`, radius of each object, see `object_radius`.
      camera: Camera of both views.

    Returns:
      The warped view.
    """
    objects, size = b.depth.shape[:2]
    points = camera.back_project(np.where(b.mask, b.depth, camera.distance))
    points = _turn_to(a, b, _to_world(points, camera))
    projected = camera.project(tf.constant(points), size, size).numpy()
    depth = projected[..., 2]

    # Pixel centres are at half-integers.
    position = projected[..., :2] / depth[..., None] - 0.5
    corner = np.clip(np.floor(position), 0, size - 2).astype(int)
    inside = np.all((position >= 0.0) & (position <= size - 1), -1)
    across, down = np.moveaxis(position - corner, -1, 0)
    number = np.arange(objects)[:, None, None]

    def four(values: np.ndarray) -> np.ndarray:
        """The neighbours in A of each pixel of B, `[4, objects, size, size, ...]`."""
        x, y = np.moveaxis(corner, -1, 0)
        return np.stack([values[number, y + j, x + i] for j in (0, 1) for i in (0, 1)])

    weights = np.stack(
        [
            (1.0 - down) * (1.0 - across),
            (1.0 - down) * across,
            down * (1.0 - across),
            down * across,
        ]
    )
    around = four(np.where(a.mask, a.depth, 0.0).astype(np.float64))
    error = depth - np.sum(weights * around, 0)
    steep = around.max(0) - around.min(0) > _STEEPEST * pixel_width(camera, size)
    hidden = error > OCCLUSION * radius[:, None, None]
    seen = erode(b.mask) & four(erode(a.mask)).all(0) & inside & ~steep & ~hidden
    return Warped(np.sum(weights[..., None] * four(a.pictures), 0), error, seen)


def _to_world(points: np.ndarray, camera: PinholeCamera) -> np.ndarray:
    """Takes points `[..., 3]` from camera space to world space."""
    pose = np.array(camera.pose)
    # Row vectors times R are turned back by R.
    return (points - pose[:, 3]) @ pose[:, :3]


def _turn_to(a: View, b: View, points: np.ndarray) -> np.ndarray:
    """Turns points `[objects, size, size, 3]` from B's viewpoints to A's."""
    rotations = [
        rotation_matrices(tf.constant(view.viewpoints, tf.float64)).numpy()
        for view in (b, a)
    ]
    from_b_to_a = rotations[1] @ rotations[0].transpose(0, 2, 1)
    return np.einsum("nij,nyxj->nyxi", from_b_to_a, points)
