"""Finds faces in pictures with the package `mtcnn`, of the extra `[faces]`.

The method is that of K. Zhang, Z. Zhang, Z. Li and Y. Qiao, "Joint Face Detection and
Alignment Using Multitask Cascaded Convolutional Networks" (2016): the first of three
networks scans the picture at many scales, and each of the others judges what the one
before it has left.

The package and TensorFlow are only imported when a detector is created.
"""

import dataclasses
import functools
import importlib.resources
import importlib.util
import math
from typing import Any

import numpy as np
from PIL import Image

from tf_unsup3d.data.alignment import FacePoints, Square, cut_out, portrait_square
from tf_unsup3d.errors import UserError

# Pictures are scaled before they are searched, until their longer side has at least and
# at most so many pixels. The first bound makes faces large enough, the second bounds
# time and memory.
_LEAST_SIDE = 256
_MOST_SIDE = 1024
# Smallest faces that are searched for in a scaled picture and in a portrait, in pixels.
_SMALLEST_FACE = 20
_SMALLEST_IN_PORTRAIT = 64
# Smallest picture that the first network accepts, which is a face for it, in pixels.
_WINDOW = 12
# Step between the scales at which a picture is searched.
_SCALE_STEP = 0.709
# Score from which the first network takes a place for a candidate, and the overlap from
# which two candidates are one: at the same scale, and at different ones.
_CANDIDATE_SCORE = 0.6
_OVERLAP_AT_SCALE = 0.5
_OVERLAP = 0.7
# Most candidates that the first network may leave, which bounds time and memory.
_MOST_CANDIDATES = 1000
# Height and width in pixels of the portrait in which the points are located again.
_PORTRAIT_SIZE = 256
# Score of the last network from which something is a face.
_FACE_SCORE = 0.9
# Squares whose centres are closer than this part of their side show the same face.
_SAME_FACE = 0.25

_NOT_INSTALLED = (
    "finding faces needs the package mtcnn: pip install 'tf-unsup3d[faces]'"
)


@dataclasses.dataclass(frozen=True)
class Face:
    """A face in a picture.

    Attributes:
      box: Left, top, right and bottom of the face in pixels, which may lie beyond the
        borders of the picture.
      score: The detector's confidence that this is a face, in [0, 1].
      points: Points of the face, in pixels of the picture.
    """

    box: tuple[float, float, float, float]
    score: float
    points: FacePoints

    @functools.cached_property
    def square(self) -> Square:
        """The square that FFHQ cuts out around such a face."""
        return portrait_square(self.points)


def check_installed() -> None:
    """Checks that the package `mtcnn` is installed, without importing it.

    Raises:
      UserError: If it is not.
    """
    if importlib.util.find_spec("mtcnn") is None:
        raise UserError(_NOT_INSTALLED)


class FaceDetector:
    """Finds the faces in a picture, and five points of each.

    Raises:
      UserError: If the package `mtcnn` cannot be imported.
    """

    def __init__(self) -> None:
        try:
            from mtcnn import MTCNN
            from mtcnn.stages import StageONet, StagePNet, StageRNet
        except ImportError as error:
            raise UserError(f"{_NOT_INSTALLED} ({error})") from error
        folder = importlib.resources.files("mtcnn.assets.weights")
        # Given bare names, the package would load files of the current folder instead.
        pnet, rnet, onet = (str(folder / f"{letter}net.lz4") for letter in "pro")
        candidates = functools.partial(_find_candidates, StagePNet(weights=pnet).model)
        stages = [candidates, StageRNet(weights=rnet), StageONet(weights=onet)]
        self._cascade = MTCNN(stages=stages)

    def find(self, image: Image.Image) -> list[Face]:
        """Finds the faces in a picture.

        Each face is cut out and turned upright, and its points are located again there,
        which halves their error. What is not found again is not a face.

        Args:
          image: The picture, in RGB.

        Returns:
          The faces, the largest first. Faces smaller than a fiftieth of the longer side
          of a large picture, or tilted by more than about 45 degrees, are not found.
        """
        longer = max(image.size)
        scale = min(max(longer, _LEAST_SIDE), _MOST_SIDE) / longer
        width, height = (max(1, round(side * scale)) for side in image.size)
        scaled = image.resize(
            (width, height), Image.Resampling.BICUBIC, reducing_gap=2.0
        )
        factors = np.array(image.size) / scaled.size
        faces: list[Face] = []
        for box, points, _ in self._detect(scaled, _SMALLEST_FACE):
            face = self._locate_again(image, box * factors, points * factors)
            if face and not any(_is_same(face.square, other.square) for other in faces):
                faces.append(face)
        return sorted(faces, key=lambda face: -face.square.side)

    def _detect(
        self, image: Image.Image, smallest: int
    ) -> list[tuple[np.ndarray, np.ndarray, float]]:
        """Finds faces as the cascade sees them.

        Args:
          image: The picture.
          smallest: Height and width of the smallest faces in pixels.

        Returns:
          Of each face the [2, 2] corners of its box, its [5, 2] points and its score;
          the best score first.
        """
        rows = self._cascade.detect_faces(
            np.asarray(image),
            box_format="xyxy",
            output_type="numpy",
            fit_to_image=False,
            min_face_size=smallest,
        )
        return [
            # The package counts from the centre of the first pixel.
            (row[1:5].reshape(2, 2) + 0.5, row[6:16].reshape(2, 5).T + 0.5, row[5])
            for row in sorted(rows, key=lambda row: -row[5])
            if row[5] >= _FACE_SCORE
        ]

    def _locate_again(
        self, image: Image.Image, box: np.ndarray, points: np.ndarray
    ) -> Face | None:
        """Locates the points of a face in a portrait that is upright.

        Args:
          image: The picture.
          box: [2, 2] corners of the face.
          points: [5, 2] its points, roughly.

        Returns:
          The face, or None if the portrait shows none.
        """
        square = portrait_square(_face_points(points))
        portrait = Image.fromarray(cut_out(image, square, _PORTRAIT_SIZE))
        for _, places, score in self._detect(portrait, _SMALLEST_IN_PORTRAIT):
            points = square.points(*(places.T / _PORTRAIT_SIZE))
            face = Face(tuple(box.ravel().tolist()), float(score), _face_points(points))
            if _is_same(square, face.square):
                return face
        return None


def _find_candidates(
    network: Any,
    bboxes_batch: None,
    images_normalized: np.ndarray,
    images_oshapes: np.ndarray,
    min_face_size: int,
) -> np.ndarray:
    """Finds the places in one picture that may show a face.

    This replaces the first stage of `MTCNN`, whose memory grows with the square of the
    number of candidates (gigabytes for a crowd), and which finds no face at all when
    its smallest scale is too small for the network.

    Args:
      network: The first network of the cascade.
      bboxes_batch: Nothing, since there is no stage before this one.
      images_normalized: [1, height, width, 3] the picture in [-1, 1].
      images_oshapes: [1, 3] height, width and channels of the picture.
      min_face_size: Height and width of the smallest faces in pixels.

    Returns:
      [candidates, 6] number of the picture, left, top, right and bottom in pixels, and
      score.
    """
    from mtcnn.utils.bboxes import (
        generate_bounding_box,
        resize_to_square,
        upscale_bboxes,
    )
    from mtcnn.utils.images import scale_images

    candidates = [np.empty([0, 6])]
    scale = _WINDOW / min_face_size
    while min(images_oshapes[0, :2]) * scale >= _WINDOW:
        offsets, scores = network(scale_images(images_normalized, scale))
        boxes = generate_bounding_box(offsets, scores, _CANDIDATE_SCORE)
        boxes = upscale_bboxes(boxes, np.array([scale]))
        candidates.append(_without_overlap(boxes, _OVERLAP_AT_SCALE))
        scale *= _SCALE_STEP
    return resize_to_square(_without_overlap(np.concatenate(candidates), _OVERLAP))


def _without_overlap(boxes: np.ndarray, overlap: float) -> np.ndarray:
    """Returns the best of the boxes, without those that overlap a better one."""
    import tensorflow as tf

    kept = tf.image.non_max_suppression(
        boxes[:, 1:5].astype(np.float32),
        boxes[:, 5].astype(np.float32),
        _MOST_CANDIDATES,
        iou_threshold=overlap,
    )
    return boxes[kept.numpy()]


def _face_points(points: np.ndarray) -> FacePoints:
    return FacePoints(*((float(x), float(y)) for x, y in points))


def _is_same(first: Square, second: Square) -> bool:
    """Whether two squares show the same face."""
    return math.dist(first.centre, second.centre) < _SAME_FACE * first.side
