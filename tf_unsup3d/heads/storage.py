"""Sets of head pictures on disk, with their truth apart from them.

    DIR/heads.json                       settings, and whether the set is complete
    DIR/train/000000.png ...             pictures, nothing else
    DIR/validation/pictures/000000.png   pictures
    DIR/validation/truth/000000.npz      what is true of 64 of them
    DIR/test/...                         like validation

Each picture depends on the seed, the split and its number alone, and shows a head of
its own: no head is in two splits.
"""

import concurrent.futures
import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tf_unsup3d.data.manifest import file_checksum
from tf_unsup3d.errors import UserError
from tf_unsup3d.heads.backgrounds import (
    Background,
    PictureBackgrounds,
    sample_background,
)
from tf_unsup3d.heads.linear_heads import load_head_model
from tf_unsup3d.heads.model import HeadModel
from tf_unsup3d.heads.render import RenderedHeads, render_heads
from tf_unsup3d.heads.scene import HeadScene, coefficients, sample_scene
from tf_unsup3d.heads.shape import procedural_head_model
from tf_unsup3d.rendering.camera import PinholeCamera

SETTINGS_NAME = "heads.json"
SPLITS = ("train", "validation", "test")
_SHARD = 64
# Bounds the memory of one rendering; larger batches are no faster.
_SAMPLES_AT_ONCE = 150_000
_SUBDIVISIONS = 48
# Changes when the procedural heads do.
_PROCEDURAL = "procedural-2"


@dataclasses.dataclass(frozen=True)
class HeadSetSettings:
    """What a set of head pictures depends on.

    Attributes:
      count: pictures for training.
      validation_count: pictures with truth for validation.
      test_count: pictures with truth for testing.
      resolution: height and width, a power of two from 16 to 512.
      seed: of all chance, not negative.
      yaw_range: yaw is drawn evenly from -yaw_range to yaw_range, in degrees.
      pitch_range: likewise.
      head_model: file of a linear head model; the procedural heads if not given.
      backgrounds: folder of pictures; made-up backgrounds if not given.

    Raises:
      UserError: if one of them is out of range.
    """

    count: int = 2000
    validation_count: int = 64
    test_count: int = 64
    resolution: int = 64
    seed: int = 0
    yaw_range: float = 60.0
    pitch_range: float = 15.0
    head_model: str | None = None
    backgrounds: str | None = None

    def __post_init__(self):
        if self.count < 1:
            raise UserError(f"count must be at least 1, got {self.count}")
        for name in ("validation_count", "test_count", "seed"):
            if getattr(self, name) < 0:
                raise UserError(
                    f"{name} must not be negative, got {getattr(self, name)}"
                )
        if self.resolution not in (16, 32, 64, 128, 256, 512):
            raise UserError(
                "resolution must be a power of two from 16 to 512, "
                f"got {self.resolution}"
            )
        for name, limit in (("yaw_range", 180.0), ("pitch_range", 90.0)):
            if not 0.0 <= getattr(self, name) <= limit:
                raise UserError(
                    f"{name} must be from 0 to {limit:g} degrees, "
                    f"got {getattr(self, name):g}"
                )

    def size(self, split: str) -> int:
        """Number of pictures in a split."""
        return {
            "train": self.count,
            "validation": self.validation_count,
            "test": self.test_count,
        }[split]

    def description(self) -> dict[str, object]:
        """The settings as they are stored: files by their names and checksums.

        Raises:
          UserError: if a file or folder cannot be read.
        """
        description = dataclasses.asdict(self)
        description["head_model"] = _PROCEDURAL
        if self.head_model:
            path = Path(self.head_model)
            try:
                description["head_model"] = f"{path.name} sha256:{file_checksum(path)}"
            except OSError as error:
                raise UserError(f"cannot read {path}: {error.strerror}") from error
        if self.backgrounds:
            checksum = PictureBackgrounds(self.backgrounds).checksum
            name = Path(self.backgrounds).resolve().name
            description["backgrounds"] = f"{name} sha256:{checksum}"
        return description


@dataclasses.dataclass(frozen=True, eq=False)
class Truth:
    """What is true of the pictures of a split, in the order of their names.

    Attributes:
      names: file names of the pictures.
      depth: [pictures, height, width] float32, z from the camera at the pixel centres,
        0 beside the head.
      normals: [pictures, height, width, 3] float32, outward unit normals in camera
        space, 0 beside the head.
      mask: [pictures, height, width] bool, where the head is.
      viewpoints: [pictures, 3] (yaw, pitch, roll) in radians.
      coefficients: [pictures, coefficients] float32, shape, hair, colours and light.
      coefficient_names: of the coefficients.
    """

    names: list[str]
    depth: np.ndarray
    normals: np.ndarray
    mask: np.ndarray
    viewpoints: np.ndarray
    coefficients: np.ndarray
    coefficient_names: list[str]


def picture_dir(output: str | os.PathLike, split: str) -> Path:
    """The folder of the pictures of a split."""
    folder = Path(output) / split
    return folder if split == "train" else folder / "pictures"


def _truth_dir(output: Path, split: str) -> Path:
    return output / split / "truth"


def _replace(path: Path, write: Callable[[Path], None]) -> None:
    """Writes a file so that it is there whole or not at all."""
    # Hidden, and with the same ending, which says what format is written.
    unfinished = path.with_name(f".unfinished-{path.name}")
    write(unfinished)
    os.replace(unfinished, path)


def _write_description(
    output: Path, description: dict, camera: PinholeCamera, complete: bool
) -> None:
    content = {
        "settings": description,
        "camera": dataclasses.asdict(camera),
        "complete": complete,
    }
    text = json.dumps(content, indent=2) + "\n"
    _replace(output / SETTINGS_NAME, lambda path: path.write_text(text, "utf-8"))


def _is_complete(output: Path, description: dict, camera: PinholeCamera) -> bool:
    """Whether the set is there already; refuses a folder that holds anything else."""
    path = output / SETTINGS_NAME
    if not path.exists():
        if output.is_dir() and any(output.iterdir()):
            raise UserError(
                f"{output} holds other files; name a new or empty folder for the heads"
            )
        return False
    try:
        content = json.loads(path.read_text("utf-8"))
        found, complete = content["settings"], content["complete"]
        different = [
            f"{name} {found.get(name)} instead of {value}"
            for name, value in description.items()
            if found.get(name) != value
        ]
        # Sets that do not name a camera were made with the default one.
        if PinholeCamera(**content.get("camera", {})) != camera:
            different.append("another camera")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is not the description of a head set") from error
    if different:
        raise UserError(
            f"{output} holds another set of heads ({', '.join(different)}); "
            "name another folder"
        )
    return complete


def _write_truth(
    path: Path,
    model: HeadModel,
    names: list[str],
    scenes: list[HeadScene],
    rendered: list[RenderedHeads],
) -> None:
    numbers = [coefficients(scene, model) for scene in scenes]

    def write(unfinished: Path) -> None:
        np.savez_compressed(
            unfinished,
            names=np.array(names),
            depth=np.concatenate([part.depth for part in rendered]),
            normals=np.concatenate([part.normals for part in rendered]).astype("f2"),
            mask=np.concatenate([part.mask for part in rendered]),
            viewpoints=np.stack([scene.viewpoint for scene in scenes]),
            coefficients=np.array([list(row.values()) for row in numbers], np.float32),
            coefficient_names=np.array(list(numbers[0])),
        )

    _replace(path, write)


class _Maker:
    """Makes the shards of a set."""

    def __init__(self, output: Path, settings: HeadSetSettings, camera: PinholeCamera):
        self._output = output
        self._settings = settings
        self._camera = camera
        self._background: Background = sample_background
        if settings.backgrounds:
            self._background = PictureBackgrounds(settings.backgrounds)
        if settings.head_model:
            self._model = load_head_model(settings.head_model)
        else:
            self._model = procedural_head_model(_SUBDIVISIONS)

    def shards(self) -> list[tuple[str, int]]:
        """Split and first number of each shard."""
        return [
            (split, start)
            for split in SPLITS
            for start in range(0, self._settings.size(split), _SHARD)
        ]

    def make(self, split: str, start: int) -> int:
        """Makes what is missing of a shard; returns its number of pictures."""
        indices = range(start, min(start + _SHARD, self._settings.size(split)))
        folder = picture_dir(self._output, split)
        paths = [folder / f"{index:06}.png" for index in indices]
        truth = None
        if split != "train":
            truth = _truth_dir(self._output, split) / f"{start:06}.npz"
        if all(path.exists() for path in [*paths, *([truth] if truth else [])]):
            return len(paths)
        scenes = [self._scene(split, index) for index in indices]
        rendered = self._render(scenes)
        drawn = [picture for part in rendered for picture in part.pictures]
        for path, picture in zip(paths, drawn, strict=True):
            _replace(path, Image.fromarray(picture).save)
        if truth:
            names = [path.name for path in paths]
            _write_truth(truth, self._model, names, scenes, rendered)
        return len(paths)

    def _scene(self, split: str, index: int) -> HeadScene:
        settings = self._settings
        return sample_scene(
            self._model,
            np.random.default_rng([settings.seed, SPLITS.index(split), index]),
            yaw_range=settings.yaw_range,
            pitch_range=settings.pitch_range,
        )

    def _render(self, scenes: list[HeadScene]) -> list[RenderedHeads]:
        resolution = self._settings.resolution
        at_once = min(_SHARD, max(1, _SAMPLES_AT_ONCE // (9 * resolution**2)))
        return [
            render_heads(
                self._model,
                scenes[first : first + at_once],
                resolution,
                background=self._background,
                camera=self._camera,
            )
            for first in range(0, len(scenes), at_once)
        ]


def make_head_set(
    output: str | os.PathLike,
    settings: HeadSetSettings,
    *,
    camera: PinholeCamera = PinholeCamera(),
    progress: Callable[[int], None] = lambda made: None,
) -> bool:
    """Makes a set of head pictures, or finishes one that was begun.

    Args:
      output: The folder: new, empty, or holding a set with the same settings.
      settings: The settings of the set.
      camera: The camera of all pictures.
      progress: Function that is called with the number of pictures just made or found.

    Returns:
      Whether anything had to be made.

    Raises:
      UserError: if the folder holds something else or cannot be written, or if the
        head model or the backgrounds cannot be used.
    """
    output = Path(output)
    if output.exists() and not output.is_dir():
        raise UserError(f"{output} is not a folder")
    description = settings.description()
    try:
        if _is_complete(output, description, camera):
            return False
        maker = _Maker(output, settings, camera)
        for split in SPLITS:
            if settings.size(split):
                picture_dir(output, split).mkdir(parents=True, exist_ok=True)
                if split != "train":
                    _truth_dir(output, split).mkdir(exist_ok=True)
        _write_description(output, description, camera, complete=False)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as executor:
            jobs = [executor.submit(maker.make, *shard) for shard in maker.shards()]
            try:
                for job in concurrent.futures.as_completed(jobs):
                    progress(job.result())
            except BaseException:
                executor.shutdown(cancel_futures=True)
                raise
        _write_description(output, description, camera, complete=True)
    except OSError as error:
        raise UserError(f"cannot write {output}: {error.strerror}") from error
    return True


def load_truth(output: str | os.PathLike, split: str) -> Truth:
    """Reads the truth of a split.

    Args:
      output: folder of the set.
      split: `validation` or `test`; the training pictures have no stored truth.

    Returns:
      The truth of all its pictures.

    Raises:
      UserError: if there is none.
    """
    folder = _truth_dir(Path(output), split)
    shards = sorted(folder.glob("[0-9]*.npz"))
    if not shards:
        raise UserError(f"{folder} holds no truth of head pictures")
    parts = [dict(np.load(path)) for path in shards]
    joined = {
        name: np.concatenate([part[name] for part in parts])
        for name in parts[0]
        if name != "coefficient_names"
    }
    return Truth(
        names=joined["names"].tolist(),
        depth=joined["depth"],
        normals=joined["normals"].astype(np.float32),
        mask=joined["mask"],
        viewpoints=joined["viewpoints"],
        coefficients=joined["coefficients"],
        coefficient_names=parts[0]["coefficient_names"].tolist(),
    )
