"""Positions of the landmarks of a head in *face coordinates*.

The axes of face coordinates are those of the project (x right, y down, z away from the
camera), the eyes are at y = 0, and one unit is about 18 cm. A point of the surface has
the same face coordinates whatever the shape of the head. This is why hair, colours and
regions are defined in face coordinates, for the heads of every model.
"""

import numpy as np

EYE_X, EYE_Y = 0.170, 0.0
NOSE_TIP_Y, NOSE_TIP_Z = 0.225, -0.629
MOUTH_Y = 0.395
MOUTH_HALF_WIDTH = 0.118
EAR_Y, EAR_Z = 0.10, 0.05

# The transform from face coordinates to the unit ball, which fills the camera's view.
SCALE = 1.16
ORIGIN = np.array([0.0, 0.05, 0.03])


def to_unit_ball(coordinates: np.ndarray) -> np.ndarray:
    """Maps face coordinates to the unit ball, which fills the camera's view.

    Args:
      coordinates: [..., 3] face coordinates.

    Returns:
      [..., 3] coordinates of the object before it is turned.
    """
    return SCALE * (coordinates - ORIGIN)
