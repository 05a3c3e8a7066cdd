"""Masks of the object in pictures."""

import numpy as np
import scipy.ndimage


def erode(mask: np.ndarray) -> np.ndarray:
    """Erodes masks by one pixel, at the borders of the picture too.

    Args:
      mask: `[pictures, height, width]` bool.

    Returns:
      `[pictures, height, width]` bool, true where the whole 3 x 3 neighbourhood is in
      the mask.
    """
    return scipy.ndimage.binary_erosion(mask, np.ones([1, 3, 3], bool))
