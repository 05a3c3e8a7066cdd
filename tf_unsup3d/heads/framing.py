"""Frames heads like aligned portraits, with the same facial points at the same place.

FFHQ's alignment (Karras et al. 2019) crops a square around a point between the eyes,
as wide as the eyes and the mouth are apart. Here, the head is moved and scaled before
the fixed camera instead, so that its depth is known in the frame of that camera.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.portrait_alignment import (
    CENTRE_BELOW_EYES,
    EYE_DISTANCES,
    MOUTH_DISTANCES,
)
from tf_unsup3d.geometry.viewpoints import rotation_matrices
from tf_unsup3d.heads.landmarks import EYE_X, EYE_Y, MOUTH_Y
from tf_unsup3d.heads.model import HeadModel
from tf_unsup3d.heads.parameters import HeadParameters
from tf_unsup3d.rendering.camera import PinholeCamera

# Number of vertices whose mean is a landmark, which reach over an eye or the lips.
_LANDMARK_VERTICES = 24
# The frame changes so little with the perspective that a few rounds settle it.
_ROUNDS = 6


def landmark_weights(model: HeadModel) -> np.ndarray:
    """Finds the eyes and the mouth on the surface of a head model.

    Args:
      model: The head model.

    Returns:
      [3, vertices] float32 weights of the vertices, whose sum is 1: of the eye on the
      left of the picture, of the eye on its right, and of the mouth.
    """
    weights = np.zeros((3, len(model.coordinates)), np.float32)
    x, y, z = model.coordinates.T
    places = [(-EYE_X, EYE_Y), (EYE_X, EYE_Y), (0.0, MOUTH_Y)]
    for row, (at_x, at_y) in zip(weights, places, strict=True):
        beside = np.hypot(x - at_x, y - at_y)
        # The skin, not what lies behind it in the head or on its back.
        nearest_beside = np.argsort(beside)[:_LANDMARK_VERTICES]
        distance = np.hypot(beside, z - z[nearest_beside].min())
        row[np.argsort(distance)[:_LANDMARK_VERTICES]] = 1.0 / _LANDMARK_VERTICES
    return weights


def frame_as_portrait(
    head: HeadParameters,
    model: HeadModel,
    landmarks: np.ndarray,
    camera: PinholeCamera = PinholeCamera(),
) -> HeadParameters:
    """Moves and scales a head so that it is framed like an aligned portrait.

    The point of the face that FFHQ's alignment centres comes to the origin of world
    space: heads of all viewpoints turn about that point. Scale and roll follow from
    where the picture shows the landmarks.

    Args:
      head: The head, with the viewpoint that the alignment starts from.
      model: The model that the head was drawn from.
      landmarks: [3, vertices] weights from `landmark_weights`.
      camera: The camera of the picture, which is square.

    Returns:
      The head with another roll, scale and offset.
    """
    rotation = rotation_matrices(tf.constant(head.viewpoint, tf.float64)).numpy()
    turned = landmarks.astype(np.float64) @ head.vertices(model) @ rotation.T
    half = np.tan(0.5 * camera.field_of_view) * camera.distance
    scale, roll = 1.0, 0.0
    offset = -_centre(turned)
    for _ in range(_ROUNDS):
        seen = _in_picture(scale * _rolled(turned, roll) + offset, camera)
        axis = complex(*_half_width(seen))
        scale, roll = scale / abs(axis), roll - np.angle(axis)
        offset = -_centre(scale * _rolled(turned, roll))
        seen = _in_picture(scale * _rolled(turned, roll) + offset, camera)
        # Perspective leaves the picture of the point a little beside the middle.
        offset[:2] -= half * _centre(seen)
    yaw, pitch, first_roll = head.viewpoint
    return dataclasses.replace(
        head,
        viewpoint=np.array([yaw, pitch, first_roll + roll], np.float32),
        scale=float(scale),
        offset=offset.astype(np.float32),
    )


def _centre(landmarks: np.ndarray) -> np.ndarray:
    """The middle of the frame of landmarks [3, dimensions]."""
    left, right, mouth = landmarks
    eyes = 0.5 * (left + right)
    return eyes + CENTRE_BELOW_EYES * (mouth - eyes)


def _half_width(landmarks: np.ndarray) -> np.ndarray:
    """The vector [2] from the middle of the frame to that of its right border."""
    left, right, mouth = landmarks
    across = right - left
    down = mouth - 0.5 * (left + right)
    # Down, turned by a quarter, points to the right as well.
    axis = across + down[::-1] * [1.0, -1.0]
    size = max(EYE_DISTANCES * np.hypot(*across), MOUTH_DISTANCES * np.hypot(*down))
    return axis * (size / np.hypot(*axis))


def _rolled(points: np.ndarray, roll: float) -> np.ndarray:
    """Points [n, 3] turned about the z axis."""
    cosine, sine = np.cos(roll), np.sin(roll)
    x, y, z = points.T
    return np.stack([cosine * x - sine * y, sine * x + cosine * y, z], -1)


def _in_picture(points: np.ndarray, camera: PinholeCamera) -> np.ndarray:
    """Positions [n, 2] in a picture from -1 to 1 of points [n, 3] in world space."""
    pose = np.array(camera.pose)
    x, y, z = pose[:, :3] @ points.T + pose[:, 3:]
    return np.stack([x / z, y / z], -1) / np.tan(0.5 * camera.field_of_view)
