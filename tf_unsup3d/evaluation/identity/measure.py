"""Measures whether a model's faces stay the same person when they turn."""

import math
import os

import numpy as np
import tensorflow as tf

from tf_unsup3d.data.dataset import PictureSet, open_pictures
from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.identity.face_network import Describe
from tf_unsup3d.evaluation.identity.report import IdentityReport
from tf_unsup3d.evaluation.identity.similarity import compare_descriptors
from tf_unsup3d.evaluation.random_batches import random_batches
from tf_unsup3d.evaluation.report import describe_model
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.geometry.viewpoints import Viewpoints
from tf_unsup3d.rendering.framing import Framing
from tf_unsup3d.trained.random_streams import RandomScenes, RandomViews
from tf_unsup3d.trained.trained_model import TrainedModel

# Number of objects, and of real pictures if there are as many.
OBJECTS = 256
FEWEST_PICTURES = 16
# Degrees of yaw between the frontal view and that to either side.
YAW = 30.0

_BATCH_SIZE = 64


def open_faces(data_dir: str | os.PathLike, resolution: int) -> PictureSet:
    """Opens the real pictures that a model's are compared with.

    Args:
      data_dir: Folder of real pictures of faces that are aligned like the model's,
        prepared by unsup3d-prepare-data or not.
      resolution: Height and width of the model's pictures.

    Returns:
      The pictures.

    Raises:
      UserError: The pictures cannot be used, or there are too few.
    """
    pictures = open_pictures(data_dir, resolution)
    if pictures.count < FEWEST_PICTURES:
        raise UserError(
            f"--data_dir: {data_dir} holds {pictures.count} pictures; --metrics="
            f"identity takes {FEWEST_PICTURES}"
        )
    return pictures


def measure_identity(
    model: TrainedModel,
    pictures: PictureSet,
    describe: Describe,
    *,
    seed: int = 0,
) -> IdentityReport:
    """Compares views of the same face, beside views of different faces.

    Compared are

    - "0 and 30 degrees": the view from the front with that from 30 degrees of yaw to
      either side, both without pitch and with the roll that the alignment of p_v gives
      them, if it has one;
    - "two viewpoints of p_v": two random views;
    - "different objects": the view of each object from the front with those of another
      from 30 degrees to either side;
    - "real, mirrored": real pictures with their mirror images;
    - "different real": pairs of different real pictures.

    Args:
      model: The model, of faces aligned as in FFHQ.
      pictures: The real pictures, of `open_faces`.
      describe: Function that describes faces, see `face_network`.
      seed: Seed of all random numbers.

    Returns:
      The report.

    Raises:
      UserError: The pictures can no longer be read.
    """
    real, mirrored = _describe_real(pictures, describe, seed)
    front, left, right, first, second = _describe_views(model, describe, seed)
    mean = real.mean(0)
    # Each view from the front is compared with one to either side.
    fronts, sides = np.tile(front, [2, 1]), np.concatenate([left, right])
    others = np.tile(np.roll(front, 1, 0), [2, 1])
    settings = describe_model(model, seed) | {
        "data_dir": str(pictures.data_dir),
        "data_checksum": pictures.checksum,
        "face_network": "dlib's ResNet (dlib_face_recognition_resnet_model_v1)",
    }
    return IdentityReport(
        settings,
        {
            name: compare_descriptors(*pair, mean)
            for name, pair in {
                f"0 and {YAW:g} degrees": (fronts, sides),
                "two viewpoints of p_v": (first, second),
                "different objects": (others, sides),
                "real, mirrored": (real, mirrored),
                "different real": (real, np.roll(real, 1, 0)),
            }.items()
        },
    )


def _describe_real(
    pictures: PictureSet, describe: Describe, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Descriptors `[pictures, size]` of real pictures and of their mirror images."""
    batches = pictures.batches(_BATCH_SIZE, seed=seed, mirror=False, repeat=False)
    with pictures.iterating():
        used = [
            to_uint8(batch.numpy())
            for batch in batches.take(-(-OBJECTS // _BATCH_SIZE))
        ]
    shown = np.concatenate(used)[:OBJECTS]
    return describe(shown), describe(np.ascontiguousarray(shown[:, :, ::-1]))


def _describe_views(
    model: TrainedModel, describe: Describe, seed: int
) -> list[np.ndarray]:
    """Descriptors `[OBJECTS, size]` of five views of each object.

    The views are that from the front, those from `YAW` degrees to either side, and
    those from two random viewpoints of p_v.
    """
    parts = [
        [
            describe(_draw(model, batch, views))
            for views in _views(model.viewpoints, batch)
        ]
        for batch in random_batches(model, OBJECTS, seed=seed, name="identity")
    ]
    return [np.concatenate(views) for views in zip(*parts, strict=True)]


def _views(distribution: Viewpoints, batch: RandomScenes) -> list[RandomViews]:
    """The five views of each object.

    The second random view of an object is the first one of another.
    """
    count = len(batch.viewpoints)
    turned = [_turned(distribution, yaw, count) for yaw in (0.0, -YAW, YAW)]
    framing = batch.framing
    return [
        *turned,
        RandomViews(batch.viewpoints, framing),
        RandomViews(
            tf.roll(batch.viewpoints, 1, 0),
            framing and Framing(*(tf.roll(value, 1, 0) for value in framing)),
        ),
    ]


def _turned(distribution: Viewpoints, yaw: float, count: int) -> RandomViews:
    """Views from one yaw in degrees, aligned as those of the distribution are."""
    viewpoints = tf.tile([[math.radians(yaw), 0.0, 0.0]], [count, 1])
    # The network looks for the face where the alignment puts it.
    viewpoints, scale = distribution.align(viewpoints)
    if scale is None:
        return RandomViews(viewpoints, None)
    return RandomViews(viewpoints, Framing(tf.zeros([count, 2]), scale))


def _draw(model: TrainedModel, batch: RandomScenes, views: RandomViews) -> np.ndarray:
    drawn = model.renderer(
        batch.scene,
        views.viewpoints,
        batch.light_seed,
        outputs=("picture",),
        framing=views.framing,
    )
    return to_uint8(drawn["picture"].numpy())
