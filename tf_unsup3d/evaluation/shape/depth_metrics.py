"""How well predicted depth agrees with true depth."""

import dataclasses

import numpy as np
import scipy.ndimage

from tf_unsup3d.evaluation.shape.ellipsoids import ellipsoid_residual
from tf_unsup3d.rendering.camera import PinholeCamera

# With fewer pixels in common a picture counts as missed.
_FEWEST_PIXELS = 16
# Relief below this part of the object's size is rounding, not shape.
_LEAST_RELIEF = 1e-3


@dataclasses.dataclass(frozen=True, eq=False)
class DepthErrors:
    """Agreement of each picture; NaN where prediction and truth share no surface.

    Attributes:
      side: [pictures], see `side`.
      mad: [pictures] degrees, see `mad`.
      residual_correlation: [pictures], see `residual_correlation`.
      mask_iou: [pictures] intersection over union of the masks as given. The others
        look at the intersection alone, so they do not see a mask that misses.
    """

    side: np.ndarray
    mad: np.ndarray
    residual_correlation: np.ndarray
    mask_iou: np.ndarray

    def summary(self) -> dict[str, float]:
        """Mean and standard deviation over the pictures, and how many were missed.

        Returns:
          `NAME` and `NAME_std` for each measure, over the pictures that have one, and
          `missed`, the number that have none.
        """
        values = {}
        for field in dataclasses.fields(self):
            each = getattr(self, field.name)
            each = each[np.isfinite(each)]
            values[field.name] = float(each.mean()) if each.size else float("nan")
            values[f"{field.name}_std"] = float(each.std()) if each.size else 0.0
        values["missed"] = int(np.isnan(self.side).sum())
        return values


def compare_depth(
    predicted: np.ndarray,
    predicted_mask: np.ndarray,
    true: np.ndarray,
    true_mask: np.ndarray,
    camera: PinholeCamera = PinholeCamera(),
) -> DepthErrors:
    """All measures, on the intersection of the masks eroded by one pixel.

    Args:
      predicted: [pictures, height, width] depth, positive in its mask.
      predicted_mask: [pictures, height, width] bool.
      true: [pictures, height, width] depth, positive in its mask.
      true_mask: [pictures, height, width] bool.
      camera: The camera of the depth.

    Returns:
      The errors of each picture.

    Raises:
      ValueError: if shapes differ, or depth in a mask is not positive.
    """
    shapes = {np.shape(a) for a in (predicted, predicted_mask, true, true_mask)}
    if len(shapes) != 1 or len(shapes.copy().pop()) != 3:
        raise ValueError(f"depth and masks are not [pictures, height, width]: {shapes}")
    for name, depth, mask in (
        ("predicted", predicted, predicted_mask),
        ("true", true, true_mask),
    ):
        if not np.all(depth[mask] > 0.0):
            raise ValueError(f"{name} depth is not positive in its mask")
    common = true_mask & predicted_mask
    mask = erode(common)
    mask &= (mask.sum((1, 2)) >= _FEWEST_PIXELS)[:, None, None]
    # Where nothing is compared any depth will do, if only it is no error.
    predicted = np.where(common, predicted, 1.0)
    true = np.where(common, true, 1.0)
    union = np.maximum((true_mask | predicted_mask).sum((1, 2)), 1)
    return DepthErrors(
        side=side(predicted, true, mask),
        mad=mad(predicted, true, mask, camera),
        residual_correlation=residual_correlation(predicted, true, mask, camera),
        mask_iou=common.sum((1, 2)) / union,
    )


def erode(mask: np.ndarray) -> np.ndarray:
    """Takes one pixel off each side of masks, at the picture's border too.

    Args:
      mask: [pictures, height, width] bool.

    Returns:
      [pictures, height, width] bool: where all of the 3 x 3 pixels around are masked.
    """
    return scipy.ndimage.binary_erosion(mask, np.ones([1, 3, 3], bool))


def normals_from_depth(
    depth: np.ndarray, camera: PinholeCamera = PinholeCamera()
) -> np.ndarray:
    """Normals of the surface that a depth map shows, by central differences.

    Args:
      depth: [..., height, width], z from the camera at the pixel centres.
      camera: The camera of the depth.

    Returns:
      [..., height, width, 3] unit normals in camera space that face the camera. One
      is of use where its pixel and the four beside it show the same surface, as in an
      eroded mask.
    """
    points = camera.back_project(depth)
    down, right = np.gradient(points, axis=(-3, -2))
    normals = np.cross(down, right)
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    return normals / np.maximum(length, 1e-12)


def side(predicted: np.ndarray, true: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Scale-invariant depth error (Eigen et al. 2014; Wu et al. 2020), times 100.

    The standard deviation over the mask of log predicted - log true depth.

    Args:
      predicted: [pictures, height, width] positive.
      true: [pictures, height, width] positive.
      mask: [pictures, height, width] bool, where to compare.

    Returns:
      [pictures], NaN where the mask is empty.
    """
    difference = np.log(predicted, dtype=np.float64) - np.log(true, dtype=np.float64)
    centred = difference - _mean(difference, mask)[:, None, None]
    return 100.0 * np.sqrt(_mean(centred**2, mask))


def mad(
    predicted: np.ndarray,
    true: np.ndarray,
    mask: np.ndarray,
    camera: PinholeCamera = PinholeCamera(),
) -> np.ndarray:
    """Mean angle deviation of the normals of the depth (Wu et al. 2020).

    Both normals are made by `normals_from_depth`, so that the truth scores 0.

    Args:
      predicted: [pictures, height, width] positive.
      true: [pictures, height, width] positive.
      mask: [pictures, height, width] bool, where to compare.
      camera: The camera of the depth.

    Returns:
      [pictures] in degrees, NaN where the mask is empty.
    """
    first = normals_from_depth(predicted, camera)
    second = normals_from_depth(true, camera)
    # The arc cosine is inexact at small angles.
    half_chord = 0.5 * np.linalg.norm(first - second, axis=-1)
    return _mean(np.degrees(2.0 * np.arcsin(np.minimum(half_chord, 1.0))), mask)


def residual_correlation(
    predicted: np.ndarray,
    true: np.ndarray,
    mask: np.ndarray,
    camera: PinholeCamera = PinholeCamera(),
) -> np.ndarray:
    """Correlation of what predicted and true depth have beyond an ellipsoid.

    Any egg correlates with a head, so from each depth map the ellipsoid that fits it
    best is taken away first; nose, eye sockets, chin and hair are left. Pearson's
    correlation is taken within each picture: over all pictures together it would also
    reward knowing which heads have much relief.

    Args:
      predicted: [pictures, height, width] positive.
      true: [pictures, height, width] positive.
      mask: [pictures, height, width] bool, where to compare.
      camera: The camera of the depth.

    Returns:
      [pictures] in [-1, 1]; 0 where one of them is an ellipsoid or flat, so that the
      correlation is undefined; NaN where the mask is nearly empty.
    """
    parts = []
    for depth in (predicted, true):
        residual = ellipsoid_residual(depth, mask, camera)
        centred = residual - _mean(residual, mask)[:, None, None]
        parts.append((centred, np.sqrt(_mean(centred**2, mask))))
    (first, first_relief), (second, second_relief) = parts
    least = np.minimum(first_relief, second_relief)
    product = np.maximum(first_relief * second_relief, 1e-30)
    correlation = _mean(first * second, mask) / product
    return np.where(least < _LEAST_RELIEF, 0.0, correlation)


def _mean(values, mask):
    """Mean [pictures] over the mask."""
    count = mask.sum((1, 2))
    total = np.where(mask, values, 0.0).sum((1, 2))
    return np.where(count, total / np.maximum(count, 1), np.nan)
