"""Two views of one object, compared pixel by pixel by way of its depth."""

import dataclasses

import numpy as np
import tensorflow as tf

from tf_unsup3d.evaluation.shape.depth_metrics import erode
from tf_unsup3d.geometry.viewpoints import rotation_matrices
from tf_unsup3d.rendering.camera import PinholeCamera

# A point this far behind the surface, in radii of the object, is hidden by it.
OCCLUSION = 0.1
# Depth that changes by more between neighbouring pixels, in widths of a pixel, cannot
# be interpolated: an edge, or a surface seen at a grazing angle.
_STEEPEST = 3.0
# With fewer pixels in common a pair counts as missed.
_FEWEST_PIXELS = 16


@dataclasses.dataclass(frozen=True, eq=False)
class View:
    """A view of each of some objects.

    Attributes:
      pictures: [objects, size, size, 3] in [-1, 1].
      depth: [objects, size, size] from the camera; any number beside the mask.
      mask: [objects, size, size] bool.
      viewpoints: [objects, 3] (yaw, pitch, roll) in radians.
    """

    pictures: np.ndarray
    depth: np.ndarray
    mask: np.ndarray
    viewpoints: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Warped:
    """View A as view B would show it.

    Attributes:
      pictures: [objects, size, size, 3] in [-1, 1], A's colours at B's pixels.
      depth_error: [objects, size, size], the depth in A of the points that B's pixels
        show, minus that of A's surface there.
      seen: [objects, size, size] bool, the pixels that both views see; the rest means
        nothing elsewhere.
    """

    pictures: np.ndarray
    depth_error: np.ndarray
    seen: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class PairErrors:
    """Agreement of two views of each object; NaN where they have too little in common.

    Attributes:
      reprojection: [objects] mean absolute difference of the colours, of 1, between B
        and A warped to B.
      unwarped: [objects] the same between B and A as it is, at the same pixels.
      depth_median: [objects] median of |depth error|, in radii of the object.
      depth_mean: [objects] mean of the same.
      seen: [objects] part of B's pixels of the object that was compared.
    """

    reprojection: np.ndarray
    unwarped: np.ndarray
    depth_median: np.ndarray
    depth_mean: np.ndarray
    seen: np.ndarray


def object_radius(vertices: np.ndarray) -> np.ndarray:
    """[objects, vertices, 3] to [objects], RMS distance of the vertices to their mean.

    It is the size that `Generator.radius` sets.
    """
    centred = vertices - vertices.mean(1, keepdims=True)
    return np.sqrt(np.sum(centred**2, -1).mean(1))


def warp(
    a: View, b: View, radius: np.ndarray, camera: PinholeCamera = PinholeCamera()
) -> Warped:
    """Draws B with the colours of A.

    Each pixel of B is taken to its point by B's depth, turned from B's viewpoint to
    that of A, and projected there; colour and depth of A are interpolated bilinearly.

    Compared are pixels of B's mask whose four neighbours in A are in A's mask and of
    much the same depth, both masks eroded by one pixel, and whose point is not hidden
    in A: it is not more than `OCCLUSION` radii behind the surface. A point in front of
    the surface, however far, is not hidden but wrong, and stays in.

    Args:
      a: View to take the colours from.
      b: View of the same objects from elsewhere.
      radius: [objects], the radius of each object, see `object_radius`.
      camera: The camera of both views.

    Returns:
      The warped view.
    """
    objects, size = b.depth.shape[:2]
    points = camera.back_project(np.where(b.mask, b.depth, camera.distance))
    points[..., 2] -= camera.distance
    rotations = [
        rotation_matrices(tf.constant(view.viewpoints, tf.float64)).numpy()
        for view in (b, a)
    ]
    from_b_to_a = rotations[1] @ rotations[0].transpose(0, 2, 1)
    points = np.einsum("nij,nyxj->nyxi", from_b_to_a, points)
    projected = camera.project(tf.constant(points), size, size).numpy()
    depth = projected[..., 2]

    # Pixel centres are at half-integers.
    position = projected[..., :2] / depth[..., None] - 0.5
    corner = np.clip(np.floor(position), 0, size - 2).astype(int)
    inside = np.all((position >= 0.0) & (position <= size - 1), -1)
    across, down = np.moveaxis(position - corner, -1, 0)
    number = np.arange(objects)[:, None, None]

    def four(values):
        """[4, objects, size, size, ...] the neighbours in A of each pixel of B."""
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
    pixel = 2.0 / size
    steep = around.max(0) - around.min(0) > _STEEPEST * pixel
    hidden = error > OCCLUSION * radius[:, None, None]
    seen = erode(b.mask) & four(erode(a.mask)).all(0) & inside & ~steep & ~hidden
    return Warped(np.sum(weights[..., None] * four(a.pictures), 0), error, seen)


def compare_views(
    a: View, b: View, radius: np.ndarray, camera: PinholeCamera = PinholeCamera()
) -> PairErrors:
    """Measures how well two views agree; see `warp` and `PairErrors`.

    Args:
      a: View of some objects.
      b: View of the same objects from elsewhere.
      radius: [objects], the radius of each object, see `object_radius`.
      camera: The camera of both views.

    Returns:
      The errors of each object.
    """
    warped = warp(a, b, radius, camera)
    count = warped.seen.sum((1, 2))
    missed = count < _FEWEST_PIXELS

    def over_seen(values, statistic):
        pairs = zip(values, warped.seen, missed, strict=True)
        return np.array([np.nan if m else statistic(v[s]) for v, s, m in pairs])

    # Colours span 2.
    reprojection = 0.5 * np.abs(warped.pictures - b.pictures).mean(-1)
    unwarped = 0.5 * np.abs(a.pictures - b.pictures).mean(-1)
    depth = np.abs(warped.depth_error) / radius[:, None, None]
    return PairErrors(
        reprojection=over_seen(reprojection, np.mean),
        unwarped=over_seen(unwarped, np.mean),
        depth_median=over_seen(depth, np.median),
        depth_mean=over_seen(depth, np.mean),
        seen=count / np.maximum(b.mask.sum((1, 2)), 1),
    )
