"""Measures of how well predicted depth agrees with true depth."""

import dataclasses

import numpy as np

from tf_unsup3d.evaluation.masks import erode
from tf_unsup3d.evaluation.shape.ellipsoids import ellipsoid_residual
from tf_unsup3d.evaluation.summary import summarize
from tf_unsup3d.rendering.camera import PinholeCamera

# A picture with fewer pixels in common counts as missed.
_FEWEST_PIXELS = 16
# Relief below this fraction of the object's size is rounding, not shape.
_LEAST_RELIEF = 1e-3


@dataclasses.dataclass(frozen=True, eq=False)
class DepthErrors:
    """Agreement of each picture; NaN where prediction and truth share no surface.

    Attributes:
      side: `[pictures]`, scale-invariant depth error, see `side`.
      mad: `[pictures]`, mean angle deviation in degrees, see `mad`.
      residual_correlation: `[pictures]`, see `residual_correlation`.
      mask_iou: `[pictures]`, intersection over union of the masks before erosion. The
        other measures use the intersection alone, so they do not notice a wrong mask.
    """

    side: np.ndarray
    mad: np.ndarray
    residual_correlation: np.ndarray
    mask_iou: np.ndarray

    def summary(self) -> dict[str, float]:
        """Computes means and standard deviations over the pictures.

        Returns:
          `NAME` and `NAME_std` of each measure, see `summarize`, and `missed`, the
          number of pictures that share no surface.
        """
        errors = {
            field.name: getattr(self, field.name) for field in dataclasses.fields(self)
        }
        return summarize(errors) | {"missed": int(np.isnan(self.side).sum())}


def compare_depth(
    predicted: np.ndarray,
    predicted_mask: np.ndarray,
    true: np.ndarray,
    true_mask: np.ndarray,
    camera: PinholeCamera,
) -> DepthErrors:
    """Computes all measures, on the intersection of the masks eroded by one pixel.

    Args:
      predicted: `[pictures, height, width]`, predicted depth, positive in its mask.
      predicted_mask: `[pictures, height, width]` bool.
      true: `[pictures, height, width]`, true depth, positive in its mask.
      true_mask: `[pictures, height, width]` bool.
      camera: Camera of all depth maps.

    Returns:
      The errors of each picture.

    Raises:
      ValueError: The shapes differ, or depth in a mask is not positive.
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
    # Where nothing is compared, any depth that raises no numerical warning will do.
    predicted = np.where(common, predicted, 1.0)
    true = np.where(common, true, 1.0)
    union = np.maximum((true_mask | predicted_mask).sum((1, 2)), 1)
    return DepthErrors(
        side=side(predicted, true, mask),
        mad=mad(predicted, true, mask, camera),
        residual_correlation=residual_correlation(predicted, true, mask, camera),
        mask_iou=common.sum((1, 2)) / union,
    )


def normals_from_depth(depth: np.ndarray, camera: PinholeCamera) -> np.ndarray:
    """Computes the normals of the surface of a depth map, by central differences.

    Args:
      depth: `[..., height, width]`, depth from the camera at the pixel centres.
      camera: Camera of the depth map.

    Returns:
      `[..., height, width, 3]`, unit normals in camera space that face the camera. They
      are meaningful where the pixel and its four neighbours show the same surface, as
      in an eroded mask.
    """
    points = camera.back_project(depth)
    down, right = np.gradient(points, axis=(-3, -2))
    normals = np.cross(down, right)
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    return normals / np.maximum(length, 1e-12)


def side(predicted: np.ndarray, true: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Scale-invariant depth error (Eigen et al. 2014; Wu et al. 2020), times 100.

    This is the standard deviation over the mask of log predicted - log true depth.

    Args:
      predicted: `[pictures, height, width]`, predicted depth, positive.
      true: `[pictures, height, width]`, true depth, positive.
      mask: `[pictures, height, width]` bool, the pixels that are compared.

    Returns:
      `[pictures]`, NaN where the mask is empty.
    """
    difference = np.log(predicted, dtype=np.float64) - np.log(true, dtype=np.float64)
    centred = difference - _mean(difference, mask)[:, None, None]
    return 100.0 * np.sqrt(_mean(centred**2, mask))


def mad(
    predicted: np.ndarray,
    true: np.ndarray,
    mask: np.ndarray,
    camera: PinholeCamera,
) -> np.ndarray:
    """Mean angle deviation of the normals (Wu et al. 2020).

    Both normals come from `normals_from_depth`, so that the truth scores 0.

    Args:
      predicted: `[pictures, height, width]`, predicted depth, positive.
      true: `[pictures, height, width]`, true depth, positive.
      mask: `[pictures, height, width]` bool, the pixels that are compared.
      camera: Camera of both depth maps.

    Returns:
      `[pictures]` in degrees, NaN where the mask is empty.
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
    camera: PinholeCamera,
) -> np.ndarray:
    """Correlation of what predicted and true depth have beyond an ellipsoid.

    Any egg correlates with a head, so the best-fitting ellipsoid is first subtracted
    from each depth map; nose, eye sockets, chin and hair remain. Pearson's correlation
    is computed within each picture: over all pictures together it would also reward
    knowing which heads have much relief.

    Args:
      predicted: `[pictures, height, width]`, predicted depth, positive.
      true: `[pictures, height, width]`, true depth, positive.
      mask: `[pictures, height, width]` bool, the pixels that are compared.
      camera: Camera of both depth maps.

    Returns:
      `[pictures]` in [-1, 1]; 0 where either is an ellipsoid or flat, so that the
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


def _mean(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mean `[pictures]` over the mask, NaN where it is empty."""
    count = mask.sum((1, 2))
    total = np.where(mask, values, 0.0).sum((1, 2))
    return np.where(count, total / np.maximum(count, 1), np.nan)
