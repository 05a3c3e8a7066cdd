"""dlib's network for the recognition of faces, on aligned portraits."""

import importlib
from collections.abc import Callable

import numpy as np
import PIL.Image

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.packages import package_file

# A function from portraits [pictures, size, size, 3] uint8 to descriptors
# [pictures, 128] float64.
Describe = Callable[[np.ndarray], np.ndarray]

_PACKAGE = "face-recognition-models"
_FLAG = "--metrics=identity"
# Height and width to which portraits are resized.
_SIZE = 256
# Left, top, right and bottom of the box in which dlib's detector finds the face of
# portraits that are aligned as in FFHQ: the median of 150, made symmetric.
_BOX = (50, 81, 205, 236)
# Height and width of the pictures that the network was trained on, and their border.
_CHIP = 150
_PADDING = 0.25


def face_network() -> Describe:
    """Opens dlib's ResNet for the recognition of faces (King 2017).

    Portraits are resized to 256 x 256 bicubically. In a fixed box, where the alignment
    puts the face, dlib's predictor finds the corners of the eyes and the base of the
    nose; the face is turned, scaled and cut out by these points as the network expects
    it. No face detector is used, so no picture is left out.

    Returns:
      Function from portraits to descriptors.

    Raises:
      UserError: The packages are not installed.
    """
    models = [
        str(package_file("face_recognition_models", f"models/{name}", _PACKAGE, _FLAG))
        for name in (
            "shape_predictor_5_face_landmarks.dat",
            "dlib_face_recognition_resnet_model_v1.dat",
        )
    ]
    try:
        dlib = importlib.import_module("dlib")
    except ImportError:
        raise UserError(
            f"{_FLAG} needs the package dlib-bin: pip install 'tf-unsup3d[metrics]'"
        ) from None
    predictor = dlib.shape_predictor(models[0])
    network = dlib.face_recognition_model_v1(models[1])
    box = dlib.rectangle(*_BOX)

    def describe(pictures: np.ndarray) -> np.ndarray:
        descriptors = []
        for picture in pictures:
            enlarged = PIL.Image.fromarray(picture).resize(
                (_SIZE, _SIZE), PIL.Image.Resampling.BICUBIC
            )
            portrait = np.asarray(enlarged)
            points = predictor(portrait, box)
            chip = dlib.get_face_chip(portrait, points, _CHIP, _PADDING)
            descriptors.append(network.compute_face_descriptor(chip))
        return np.array(descriptors, np.float64)

    return describe
