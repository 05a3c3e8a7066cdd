"""Pictures paired with the depth of the surface that they show."""

import dataclasses
import os
import pathlib

import numpy as np

from tf_unsup3d.data.pictures import BadPictureError, load_whole_picture
from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.drawing import depth_drawing
from tf_unsup3d.evaluation.random_batches import random_batches
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.heads import storage
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.trained.trained_model import TrainedModel


@dataclasses.dataclass(frozen=True, eq=False)
class DepthPairs:
    """Pictures, and the depth of the surface that they show.

    Attributes:
      pictures: `[pictures, size, size, 3]` uint8.
      depth: `[pictures, size, size]` float32, depth from the camera at the pixel
        centres; arbitrary outside the mask.
      mask: `[pictures, size, size]` bool, the pixels that show the object.
      camera: Camera of all pictures.
    """

    pictures: np.ndarray
    depth: np.ndarray
    mask: np.ndarray
    camera: PinholeCamera

    def __len__(self) -> int:
        return len(self.pictures)

    def take(self, indices: slice | np.ndarray) -> "DepthPairs":
        """Selects pairs by a NumPy index, slice or mask."""
        return DepthPairs(
            self.pictures[indices],
            self.depth[indices],
            self.mask[indices],
            self.camera,
        )


def load_head_pairs(
    head_set: str | os.PathLike, split: str, resolution: int, camera: PinholeCamera
) -> DepthPairs:
    """Reads pictures of heads and their true depth.

    Args:
      head_set: Folder of a set of heads, see `heads.storage`.
      split: "validation" or "test".
      resolution: Required height and width of the pictures; depth cannot be resized.
      camera: Required camera of the pictures.

    Returns:
      The pairs in the order of their names.

    Raises:
      UserError: There is no truth, or none at this resolution or with this camera, or
        the set is unfinished, or a picture is missing or not the one that its truth is
        about.
    """
    truth = storage.load_truth(head_set, split, normals=False)
    if storage.load_camera(head_set) != camera:
        raise UserError(
            f"{head_set} was rendered with another camera than the model's, so their "
            "depths cannot be compared"
        )
    found = truth.depth.shape[1]
    if found != resolution:
        raise UserError(
            f"{head_set} holds pictures of {found} pixels, but {resolution} are needed"
        )
    pictures = np.empty([*truth.depth.shape, 3], np.uint8)
    for index, name in enumerate(truth.names):
        path = storage.picture_dir(head_set, split) / name
        pictures[index] = _load(path, truth.depth.shape[1:])
    return DepthPairs(pictures, truth.depth, truth.mask, camera)


def _load(path: pathlib.Path, size: tuple[int, ...]) -> np.ndarray:
    """A picture `[height, width, 3]` uint8 that has to be of a size."""
    try:
        picture = np.asarray(load_whole_picture(path.read_bytes()))
        if picture.shape[:2] != size:
            raise BadPictureError("of another size")
    except (OSError, BadPictureError) as error:
        raise UserError(f"{path} is not the picture that its truth is about") from error
    return picture


def sample_pairs(
    model: TrainedModel, count: int, *, seed: int = 0
) -> tuple[DepthPairs, np.ndarray]:
    """Draws pictures of a model as in training, and their depth.

    Args:
      model: The model; see `depth_drawing` for how its renderer is used.
      count: Number of pairs.
      seed: Seed of all random numbers.

    Returns:
      `count` pairs at the model's resolution, and their viewpoints, `[count, 3]` (yaw,
      pitch, roll) in radians.
    """
    draw = depth_drawing(model.renderer)
    parts = []
    for batch in random_batches(model, count, seed=seed, name="pairs"):
        pictures, depth, mask = (value.numpy() for value in draw(*batch))
        parts.append((to_uint8(pictures), depth, mask, batch.viewpoints.numpy()))
    pictures, depth, mask, viewpoints = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    return DepthPairs(pictures, depth, mask, model.camera), viewpoints
