"""Portraits of all the people in a photograph, cut out as in the data set FFHQ.

This module does not import TensorFlow, because the worker processes of a preparation
import it.
"""

import dataclasses
import math

import numpy as np
from PIL import Image

from tf_unsup3d.data.alignment import FacePoints, cut_out
from tf_unsup3d.data.face_detection import Face, FaceDetector
from tf_unsup3d.data.pictures import BadPictureError


@dataclasses.dataclass(frozen=True, eq=False)
class Portrait:
    """A face in a photograph, and the picture of it or the reason why there is none.

    Attributes:
      face: Where the face is in the photograph.
      pixels: [resolution, resolution, 3] uint8 RGB values, or None.
      reason: Why there is no picture; empty if there is one.
    """

    face: Face
    pixels: np.ndarray | None
    reason: str


def cut_out_portraits(
    image: Image.Image, resolution: int, detector: FaceDetector
) -> list[Portrait]:
    """Cuts a portrait of each face out of a photograph.

    Args:
      image: The photograph, upright and in RGB.
      resolution: Height and width of the portraits in pixels. There is none of a face
        whose square is less than half as large, or of one that is turned away.
      detector: Finds the faces.

    Returns:
      The portraits, that of the largest face first.

    Raises:
      BadPictureError: If there is no face.
    """
    faces = detector.find(image)
    if not faces:
        raise BadPictureError("no face found")
    return [_portrait(image, face, resolution) for face in faces]


def _portrait(image: Image.Image, face: Face, resolution: int) -> Portrait:
    smallest = resolution // 2
    if face.square.side < smallest:
        reason = (
            f"too small: its square has a side of {face.square.side:.0f} pixels, which "
            f"must be at least {smallest} for resolution {resolution}"
        )
    elif _is_turned_away(face.points):
        reason = "turned away: the tip of the nose is not between the eyes"
    else:
        return Portrait(face, cut_out(image, face.square, resolution), "")
    return Portrait(face, None, reason)


def _is_turned_away(points: FacePoints) -> bool:
    """Whether the nose lies beside the eyes, as seen along the line between them."""
    (left, top), (right, bottom) = points.left_eye, points.right_eye
    across, down = right - left, bottom - top
    position = (points.nose[0] - left) * across + (points.nose[1] - top) * down
    return not 0.0 < position < math.hypot(across, down) ** 2
