"""Where the landmarks of a head lie in *face coordinates*.

Face coordinates have the axes of the project (x right, y down, z away from the camera)
with the eyes at y = 0; one unit is about 18 cm. A point keeps its face coordinates
whatever the shape of the head, so that hair, colours and regions are placed in them,
for heads of every model.
"""

import numpy as np

EYE_X, EYE_Y = 0.170, 0.0
NOSE_TIP_Y, NOSE_TIP_Z = 0.225, -0.629
MOUTH_Y = 0.395
MOUTH_HALF_WIDTH = 0.118
EAR_Y, EAR_Z = 0.10, 0.05

# From face coordinates to the unit ball that the camera sees.
SCALE = 1.16
ORIGIN = np.array([0.0, 0.05, 0.03])


def to_unit_ball(coordinates: np.ndarray) -> np.ndarray:
    """Places face coordinates [..., 3] before the camera."""
    return SCALE * (coordinates - ORIGIN)
