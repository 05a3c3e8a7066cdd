"""The square around a face in the data set FFHQ, and how it is cut out of a picture.

The formula is that of T. Karras, S. Laine and T. Aila, "A Style-Based Generator
Architecture for Generative Adversarial Networks" (2019), appendix A: the square follows
from the eyes and the corners of the mouth. Coordinates are in pixels, x right and y
down; (0, 0) is the outer corner of the top-left pixel.

This module does not import TensorFlow, because the worker processes of a preparation
import it.
"""

import dataclasses
import math

import numpy as np
from PIL import Image, ImageFilter

from tf_unsup3d.geometry.portrait_alignment import (
    CENTRE_BELOW_EYES,
    EYE_DISTANCES,
    MOUTH_DISTANCES,
)

# Part of the side of a square over which what lies beyond the border of the picture
# fades into one colour, and by which it is blurred.
_FADING = 0.3
_BLUR = 0.02


@dataclasses.dataclass(frozen=True)
class FacePoints:
    """Five points of a face. Left and right are those of the picture.

    Attributes:
      left_eye: Centre of the eye on the left, as x and y in pixels.
      right_eye: Centre of the eye on the right.
      nose: Tip of the nose.
      left_mouth: Corner of the mouth on the left.
      right_mouth: Corner of the mouth on the right.
    """

    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    nose: tuple[float, float]
    left_mouth: tuple[float, float]
    right_mouth: tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Square:
    """A square in a picture, upright or not.

    Attributes:
      centre: Its centre, as x and y in pixels.
      side: Length of its sides in pixels.
      angle: Angle in degrees by which it is turned clockwise in the picture.
    """

    centre: tuple[float, float]
    side: float
    angle: float

    def points(self, across: np.ndarray, down: np.ndarray) -> np.ndarray:
        """Returns points of the square in the coordinates of the picture.

        Args:
          across: [...] positions along the upper side, from 0 at its left to 1.
          down: [...] positions along the left side, from 0 at its top to 1.

        Returns:
          [..., 2] x and y in pixels.
        """
        x_axis, y_axis = self._axes()
        across, down = np.asarray(across) - 0.5, np.asarray(down) - 0.5
        return np.stack(
            [
                self.centre[0] + across * x_axis[0] + down * y_axis[0],
                self.centre[1] + across * x_axis[1] + down * y_axis[1],
            ],
            axis=-1,
        )

    def corners(self) -> np.ndarray:
        """Returns [4, 2] x and y of its corners, clockwise from the top left."""
        return self.points(np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.0, 0, 1, 1]))

    def _axes(self) -> np.ndarray:
        """Returns [2, 2] its upper side and its left side as vectors."""
        angle = math.radians(self.angle)
        x, y = self.side * math.cos(angle), self.side * math.sin(angle)
        return np.array([[x, y], [-y, x]])


def portrait_square(points: FacePoints) -> Square:
    """Computes the square that FFHQ cuts out around a face.

    Args:
      points: Points of the face.

    Returns:
      The square. It may reach beyond the borders of the picture.
    """
    left_eye, right_eye = np.array(points.left_eye), np.array(points.right_eye)
    eyes = (left_eye + right_eye) / 2.0
    mouth = (np.array(points.left_mouth) + np.array(points.right_mouth)) / 2.0
    eye_to_eye, eyes_to_mouth = right_eye - left_eye, mouth - eyes
    # The mean of two estimates of the direction across the face.
    axis = eye_to_eye + (eyes_to_mouth[1], -eyes_to_mouth[0])
    half = max(
        EYE_DISTANCES * np.hypot(*eye_to_eye),
        MOUTH_DISTANCES * np.hypot(*eyes_to_mouth),
    )
    x, y = eyes + CENTRE_BELOW_EYES * eyes_to_mouth
    angle = math.degrees(math.atan2(axis[1], axis[0]))
    return Square((float(x), float(y)), float(2.0 * half), angle)


def cut_out(image: Image.Image, square: Square, resolution: int) -> np.ndarray:
    """Cuts a square out of a picture and turns it upright.

    What lies beyond the borders of the picture is filled with its mirror image, which
    blurs towards the border and then fades into the median colour, as in FFHQ.

    Args:
      image: The picture, in RGB.
      square: The square, part of which lies in the picture.
      resolution: Height and width of the result in pixels.

    Returns:
      [resolution, resolution, 3] uint8 RGB values, antialiased.
    """
    # Box filters are fast, but cut off frequencies that a Lanczos filter keeps. So
    # they leave at least twice the resolution.
    factor = max(1, int(square.side // (2 * resolution)))
    region, corner = _surroundings(image, square, factor)
    samples = resolution * max(1, math.ceil(square.side / factor / resolution))
    ends = square.points(np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    origin, right, below = (ends - corner) / factor
    across, down = (right - origin) / samples, (below - origin) / samples
    turned = region.transform(
        (samples, samples),
        Image.Transform.AFFINE,
        (across[0], down[0], origin[0], across[1], down[1], origin[1]),
        Image.Resampling.BICUBIC,
    )
    if samples > resolution:
        turned = turned.resize((resolution, resolution), Image.Resampling.LANCZOS)
    return _fade_beyond(turned, square, image.size)


def _surroundings(
    image: Image.Image, square: Square, factor: int
) -> tuple[Image.Image, np.ndarray]:
    """Returns a region that holds the square, mirrored at the borders of the picture.

    Args:
      image: The picture.
      square: The square.
      factor: Number of pixels, in either direction, that become one.

    Returns:
      The region, and the x and y of its corner in pixels of the picture.
    """
    corners = square.corners()
    margin = 3 * factor
    start = np.floor(corners.min(axis=0)).astype(int) - margin
    end = np.ceil(corners.max(axis=0)).astype(int) + margin
    size = np.array(image.size)
    inner_start = np.clip(start, 0, size - 1)
    inner_end = np.clip(end, inner_start + 1, size)
    inner = np.asarray(image.reduce(factor, (*inner_start, *inner_end)))
    before = -(-(inner_start - start) // factor)
    after = -(-(end - inner_end) // factor)
    padding = ((before[1], after[1]), (before[0], after[0]), (0, 0))
    region = Image.fromarray(np.pad(inner, padding, mode="symmetric"))
    return region, inner_start - before * factor


def _fade_beyond(
    picture: Image.Image, square: Square, size: tuple[int, int]
) -> np.ndarray:
    """Blurs and fades what lies beyond the borders of the original picture.

    Args:
      picture: What was cut out, square.
      square: Where it was cut out.
      size: Width and height of the original picture in pixels.
    """
    pixels = np.asarray(picture)
    resolution = picture.width
    middles = (np.arange(resolution) + 0.5) / resolution
    places = square.points(*np.meshgrid(middles, middles))
    # [height, width, 4] how far a pixel lies beyond each border, in pixels.
    distance = np.concatenate([-places, places - size], axis=-1)
    crossed = distance.max(axis=(0, 1)) > 0.0
    if not crossed.any():
        return pixels
    beyond = distance[..., crossed].max(axis=-1, keepdims=True)
    beyond = beyond / (_FADING * square.side)
    blur = ImageFilter.GaussianBlur(_BLUR * resolution)
    blurred = np.asarray(picture.filter(blur), np.float64)
    median = np.median(pixels, axis=(0, 1))
    faded = pixels + np.clip(3.0 * beyond + 1.0, 0.0, 1.0) * (blurred - pixels)
    faded += np.clip(beyond, 0.0, 1.0) * (median - faded)
    return np.rint(faded).astype(np.uint8)
