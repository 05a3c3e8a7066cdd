"""Measures of what an object contributes to its pictures."""

import numpy as np


def object_effect(pictures: np.ndarray, backdrops: np.ndarray) -> np.ndarray:
    """Measures how much a picture changes when the object is removed.

    It changes little where the object is hardly visible, or where the background shows
    what the object shows.

    Args:
      pictures: `[pictures, height, width, 3]` in [-1, 1].
      backdrops: `[pictures, height, width, 3]` in [-1, 1], the same without the object.

    Returns:
      `[pictures]`, the mean absolute difference, in [0, 2].
    """
    return np.abs(pictures - backdrops).mean((1, 2, 3))


def mask_variation(areas: np.ndarray) -> np.ndarray:
    """Measures how much the area of the mask changes with the view.

    Args:
      areas: `[views, objects]`, areas of the masks.

    Returns:
      `[objects]`, the range of the areas relative to the largest.
    """
    return np.ptp(areas, 0) / np.maximum(areas.max(0), 1e-9)
