"""A sheet that shows predicted beside true depth."""

import numpy as np

from tf_unsup3d.evaluation.shape.depth_metrics import erode, normals_from_depth
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
# Of log depth, times 100: the units of SIDE.
_WHITE_ERROR = 5.0


def shape_sheet(
    test: DepthPairs, depth: np.ndarray, mask: np.ndarray, count: int = 8
) -> np.ndarray:
    """A row for each of some test pictures, evenly spread over them.

    Predicted depth is scaled to agree with the truth in the mean, as SIDE does it. The
    error is that of log depth times 100, black for none and white for 5 and more.
    Normals stand in the eroded masks, where they are of one surface.

    Args:
      test: true pairs.
      depth: [pictures, size, size] predicted, positive.
      mask: [pictures, size, size] bool, predicted.
      count: rows.

    Returns:
      [height, width, 3] uint8.
    """
    inner_true, inner = erode(test.mask), erode(mask)
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
                normals_to_rgb(normals_from_depth(true), inner_true[i][..., None]),
                normals_to_rgb(normals_from_depth(depth[i]), inner[i][..., None]),
                depth_to_grey(
                    _WHITE_ERROR - 100.0 * np.abs(difference)[..., None],
                    both[..., None],
                    0.0,
                    _WHITE_ERROR,
                ),
            ]
        )
    return compose_sheet(rows, TITLES)
