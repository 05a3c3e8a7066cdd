"""A sheet that shows predicted depth beside true depth."""

import numpy as np

from tf_unsup3d.evaluation.masks import erode
from tf_unsup3d.evaluation.shape.depth_metrics import normals_from_depth
from tf_unsup3d.evaluation.shape.pairs import DepthPairs
from tf_unsup3d.export.pictures import depth_to_grey, normals_to_rgb
from tf_unsup3d.export.sheets import compose_sheet

TITLES = (
    "picture",
    "true depth",
    "predicted",
    "true normals",
    "predicted",
    "error",
)
# Error of log depth, times 100 as in SIDE, that is shown white.
_WHITE_ERROR = 5.0


def shape_sheet(
    test: DepthPairs, depth: np.ndarray, mask: np.ndarray, count: int = 8
) -> np.ndarray:
    """Draws a row for each of several test pictures, spread evenly over all of them.

    Predicted depth is scaled so that it agrees with the truth in the mean of its
    logarithm, as in SIDE. The error is that of log depth times 100: black where there
    is none, white from 5 on. Normals are shown in the eroded masks, where each is that
    of a single surface.

    Args:
      test: True pairs.
      depth: `[pictures, size, size]`, predicted depth, positive.
      mask: `[pictures, size, size]` bool, predicted masks.
      count: Number of rows.

    Returns:
      `[height, width, 3]` uint8.
    """
    inner_true, inner = erode(test.mask), erode(mask)
    camera = test.camera
    rows = []
    for i in np.unique(np.linspace(0, len(test) - 1, count).astype(int)):
        both = test.mask[i] & mask[i]
        true = np.where(test.mask[i], test.depth[i], 1.0)
        difference = np.log(depth[i]) - np.log(true)
        difference -= difference[both].mean() if both.any() else 0.0
        aligned = true * np.exp(difference)
        seen = test.depth[i][test.mask[i]]
        near, far = (seen.min(), seen.max()) if seen.size else (0.0, 0.0)
        far = max(far, near + 1e-3)
        rows.append(
            [
                test.pictures[i],
                depth_to_grey(true[..., None], test.mask[i][..., None], near, far),
                depth_to_grey(aligned[..., None], mask[i][..., None], near, far),
                normals_to_rgb(
                    normals_from_depth(true, camera), inner_true[i][..., None]
                ),
                normals_to_rgb(
                    normals_from_depth(depth[i], camera), inner[i][..., None]
                ),
                depth_to_grey(
                    _WHITE_ERROR - 100.0 * np.abs(difference)[..., None],
                    both[..., None],
                    0.0,
                    _WHITE_ERROR,
                ),
            ]
        )
    return compose_sheet(rows, TITLES)
