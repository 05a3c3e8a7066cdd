"""What a file of a head model holds, made of the procedural heads."""

import numpy as np

from tf_unsup3d.heads.landmarks import EYE_X, NOSE_TIP_Y, NOSE_TIP_Z, SCALE
from tf_unsup3d.heads.shape import procedural_head_model

# Any unit and origin will do.
UNIT, SHIFT = 3.0, np.array([0.4, -1.0, 2.0])


def content():
    """A head model with an open neck, out of the procedural heads."""
    model = procedural_head_model(16)
    mean = model.shape.mean / SCALE
    neck = model.coordinates[model.triangles, 1].max(1) > 0.8
    regions = np.zeros((len(mean), 2))
    regions[np.linalg.norm(mean - mean[0], axis=-1) < 0.1, 0] = 1.0
    ears = np.abs(mean[:, 0]) > 0.43
    regions[ears, 1] = 1.0
    landmarks = np.array(
        [[EYE_X, 0, -0.3], [-EYE_X, 0, -0.3], [0, NOSE_TIP_Y, NOSE_TIP_Z]]
    )
    landmarks -= model.coordinates[0] - mean[0]
    return {
        "mean": UNIT * mean + SHIFT,
        "basis": (UNIT / SCALE * model.shape.basis[:5]).astype(np.float16),
        "triangles": model.triangles[~neck],
        "eye_centres": UNIT * landmarks[:2] + SHIFT,
        "nose_tip": UNIT * landmarks[2] + SHIFT,
        "regions": regions,
        "region_names": np.array(["lips", "ears"]),
    }
