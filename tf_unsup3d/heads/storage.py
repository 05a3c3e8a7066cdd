"""Sets of head pictures on disk, with the truth kept apart from the pictures.

    DIR/heads.json                       settings, and whether the set is complete
    DIR/train/000000.png ...             pictures and nothing else
    DIR/validation/pictures/000000.png   pictures
    DIR/validation/truth/000000.npz      the truth about 64 pictures
    DIR/test/...                         the same as for validation
    DIR/test/meshes.npz                  the whole meshes of the first 64 heads

Each picture is determined by the seed, the split and its number, and shows a head of
its own: no head appears in two splits.
"""

import concurrent.futures
import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tf_unsup3d.data.json_value import JsonValue
from tf_unsup3d.errors import UserError
from tf_unsup3d.files import (
    LOCK_NAME,
    exclusive,
    remove_leftovers,
    replacing,
    write_json,
    writing,
)
from tf_unsup3d.heads.backgrounds import (
    Background,
    PictureBackgrounds,
    sample_background,
)
from tf_unsup3d.heads.framing import frame_as_portrait, landmark_weights
from tf_unsup3d.heads.linear_heads import load_head_model
from tf_unsup3d.heads.parameters import HeadParameters, sample_head
from tf_unsup3d.heads.render import RenderedHeads, render_heads
from tf_unsup3d.heads.settings import SPLITS, HeadSetSettings
from tf_unsup3d.heads.shape import procedural_head_model
from tf_unsup3d.heads.true_meshes import TrueMeshes, read_meshes, write_meshes
from tf_unsup3d.heads.truth import Truth, read_truth, write_truth
from tf_unsup3d.rendering.camera import PinholeCamera

DESCRIPTION_NAME = "heads.json"
# Number of pictures that are made together and share one file of truth.
_SHARD = 64
# Limits the memory of one rendering. Larger batches are not faster.
_SAMPLES_AT_ONCE = 150_000
_SUBDIVISIONS = 48
# Number of test heads whose whole mesh is stored.
_MESHES = 64


def picture_dir(output: str | os.PathLike, split: str) -> Path:
    """Returns the folder of the pictures of a split.

    Args:
      output: Folder of the set.
      split: One of `SPLITS`.
    """
    folder = Path(output) / split
    return folder if split == "train" else folder / "pictures"


def make_head_set(
    output: str | os.PathLike,
    settings: HeadSetSettings,
    *,
    camera: PinholeCamera = PinholeCamera(),
    progress: Callable[[int], None] = lambda made: None,
) -> bool:
    """Makes a set of head pictures, or completes an unfinished one.

    Args:
      output: Folder of the set, which is new, empty, or holds a set with the same
        settings.
      settings: Settings of the set.
      camera: Camera of all pictures.
      progress: Function that is called with the number of pictures just made or found.

    Returns:
      Whether there was anything left to make.

    Raises:
      UserError: If the folder holds something else, another program makes heads in it,
        it cannot be written, or the head model or none of the backgrounds can be used.
    """
    output = Path(output)
    if output.exists() and not output.is_dir():
        raise UserError(f"{output} is not a folder")
    description = settings.description()
    with writing(output):
        if _is_complete(output, description, camera):
            return False
        maker = _Maker(output, settings, camera)
    with exclusive(output), writing(output):
        # Another program may have made it meanwhile.
        if _is_complete(output, description, camera):
            return False
        # First of all: without it, what is in the folder is not known as a set.
        _write_description(output, description, camera, complete=False)
        _make_folders(output, settings)
        cores = len(os.sched_getaffinity(0))
        with concurrent.futures.ThreadPoolExecutor(cores) as executor:
            jobs = [executor.submit(maker.make, *shard) for shard in maker.shards()]
            jobs.append(executor.submit(maker.make_meshes))
            try:
                for job in concurrent.futures.as_completed(jobs):
                    progress(job.result())
            except BaseException:
                executor.shutdown(cancel_futures=True)
                raise
        _write_description(output, description, camera, complete=True)
    return True


def load_truth(output: str | os.PathLike, split: str, *, normals: bool = True) -> Truth:
    """Reads the truth about the pictures of a split.

    Args:
      output: Folder of the set.
      split: `validation` or `test`; no truth is stored about the training pictures.
      normals: Whether to read the normals, which take most of the memory.

    Returns:
      The truth about all pictures of the split.

    Raises:
      UserError: If there is no truth, a file of it is damaged, or the set is
        unfinished.
    """
    _finished_description(Path(output))
    folder = _truth_dir(Path(output), split)
    paths = sorted(folder.glob("[0-9]*.npz"))
    if not paths:
        raise UserError(f"{folder} holds no truth of head pictures")
    return read_truth(paths, normals=normals)


def load_camera(output: str | os.PathLike) -> PinholeCamera:
    """Reads the camera that all pictures of a set were rendered with.

    Args:
      output: Folder of the set.

    Returns:
      The camera; the default one for a set that has no description of it.

    Raises:
      UserError: If the description is damaged, or the set is unfinished.
    """
    fields = _finished_description(Path(output)).get("camera", {})
    try:
        return PinholeCamera(**fields)
    except (TypeError, ValueError) as error:
        path = Path(output) / DESCRIPTION_NAME
        raise UserError(f"{path}: camera is not a camera: {error}") from error


def load_meshes(output: str | os.PathLike) -> TrueMeshes | None:
    """Reads the meshes of the first test heads.

    Args:
      output: Folder of the set.

    Returns:
      The meshes of the first heads of the test split, or None for a set that was made
      before there were any.

    Raises:
      UserError: If the file is damaged, or the set is unfinished.
    """
    _finished_description(Path(output))
    path = _meshes_path(Path(output))
    return read_meshes(path) if path.exists() else None


def _finished_description(output: Path) -> dict:
    """The description of a set, empty if there is none; refuses unfinished sets."""
    path = output / DESCRIPTION_NAME
    if not path.exists():
        return {}
    values = JsonValue.read(path, remedy="name a folder of unsup3d-make-heads")
    description = values.fields()
    if description.get("complete") is False:
        raise UserError(
            f"{output} is unfinished: run the same unsup3d-make-heads again"
        )
    return description


def _meshes_path(output: Path) -> Path:
    return output / "test" / "meshes.npz"


def _truth_dir(output: Path, split: str) -> Path:
    return output / split / "truth"


def _is_complete(
    output: Path, description: dict[str, object], camera: PinholeCamera
) -> bool:
    """Whether the folder holds the complete set; refuses other sets and other files."""
    path = output / DESCRIPTION_NAME
    if not path.exists():
        files = set(output.iterdir()) if output.is_dir() else set()
        if files - {output / LOCK_NAME}:
            raise UserError(
                f"{output} holds other files; name a new or empty folder for the heads"
            )
        return False
    values = JsonValue.read(path, remedy="name another folder for the heads")
    found, complete = values["settings"].fields(), values["complete"].boolean()
    # Sets that do not name a framing were made before there was another.
    found = {"framing": HeadSetSettings.framing, **found}
    different = [
        f"{name} {found.get(name)} instead of {value}"
        for name, value in description.items()
        if found.get(name) != value
    ]
    # Sets that do not name a camera were made with the default one.
    default = _camera_fields(PinholeCamera())
    if values.fields().get("camera", default) != _camera_fields(camera):
        different.append("another camera")
    if different:
        raise UserError(
            f"{output} holds another set of heads ({', '.join(different)}); "
            "name another folder"
        )
    return complete


def _make_folders(output: Path, settings: HeadSetSettings) -> None:
    folders = [output]
    for split in SPLITS:
        if settings.size(split):
            folders.append(picture_dir(output, split))
            if split != "train":
                folders.append(_truth_dir(output, split))
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)


def _write_description(
    output: Path,
    description: dict[str, object],
    camera: PinholeCamera,
    *,
    complete: bool,
) -> None:
    content = {
        "settings": description,
        "camera": _camera_fields(camera),
        "complete": complete,
    }
    write_json(output / DESCRIPTION_NAME, content)


def _camera_fields(camera: PinholeCamera) -> dict[str, object]:
    """The fields of a camera as they come back from JSON."""
    return json.loads(json.dumps(dataclasses.asdict(camera)))


class _Maker:
    """Makes the shards of a set.

    Args:
      output: Folder of the set.
      settings: Settings of the set.
      camera: Camera of all pictures.
    """

    def __init__(self, output: Path, settings: HeadSetSettings, camera: PinholeCamera):
        self._output = output
        self._settings = settings
        self._camera = camera
        self._background: Background = sample_background
        if settings.backgrounds:
            self._background = PictureBackgrounds(settings.backgrounds)
            # A folder without any background is refused before anything is written.
            self._background(np.random.default_rng(0), settings.resolution)
        if settings.head_model:
            self._model = load_head_model(settings.head_model)
        else:
            self._model = procedural_head_model(_SUBDIVISIONS)
        self._landmarks = None
        if settings.framing == "portrait":
            self._landmarks = landmark_weights(self._model)

    def shards(self) -> list[tuple[str, int]]:
        """Returns the split and the number of the first picture of each shard."""
        return [
            (split, start)
            for split in SPLITS
            for start in range(0, self._settings.size(split), _SHARD)
        ]

    def make(self, split: str, start: int) -> int:
        """Makes a shard unless all of its files exist.

        Args:
          split: One of `SPLITS`.
          start: Number of the first picture of the shard.

        Returns:
          The number of pictures in the shard.

        Raises:
          UserError: If a file cannot be written or a background cannot be read.
        """
        indices = range(start, min(start + _SHARD, self._settings.size(split)))
        folder = picture_dir(self._output, split)
        paths = [folder / f"{index:06}.png" for index in indices]
        truth = None
        if split != "train":
            truth = _truth_dir(self._output, split) / f"{start:06}.npz"
        if all(path.exists() for path in [*paths, *([truth] if truth else [])]):
            return len(paths)
        heads = [self._head(split, index) for index in indices]
        rendered = self._render(heads)
        pictures = [picture for part in rendered for picture in part.pictures]
        for path, picture in zip(paths, pictures, strict=True):
            with replacing(path) as temporary:
                Image.fromarray(picture).save(temporary)
        if truth:
            names = [path.name for path in paths]
            write_truth(truth, names, self._model, heads, rendered)
        return len(paths)

    def make_meshes(self) -> int:
        """Writes the meshes of the first test heads unless there are some.

        Returns:
          0, the number of pictures made.

        Raises:
          UserError: If the file cannot be written.
        """
        path = _meshes_path(self._output)
        count = min(_MESHES, self._settings.size("test"))
        if count and not path.exists():
            heads = [self._head("test", index) for index in range(count)]
            vertices = [head.scale * head.vertices(self._model) for head in heads]
            triangles = self._model.triangles
            meshes = TrueMeshes(np.stack(vertices).astype(np.float32), triangles)
            write_meshes(path, meshes)
        return 0

    def _head(self, split: str, index: int) -> HeadParameters:
        settings = self._settings
        head = sample_head(
            self._model,
            np.random.default_rng([settings.seed, SPLITS.index(split), index]),
            yaw_range=settings.yaw_range,
            pitch_range=settings.pitch_range,
            portrait=self._landmarks is not None,
        )
        if self._landmarks is None:
            return head
        return frame_as_portrait(head, self._model, self._landmarks, self._camera)

    def _render(self, heads: list[HeadParameters]) -> list[RenderedHeads]:
        resolution = self._settings.resolution
        at_once = min(_SHARD, max(1, _SAMPLES_AT_ONCE // (9 * resolution**2)))
        return [
            render_heads(
                self._model,
                heads[first : first + at_once],
                resolution,
                background=self._background,
                camera=self._camera,
            )
            for first in range(0, len(heads), at_once)
        ]
