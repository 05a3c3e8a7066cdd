"""Backgrounds, either synthetic or cropped from pictures."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from absl import logging

from tf_unsup3d.data import pictures
from tf_unsup3d.errors import UserError
from tf_unsup3d.heads.patterns import Waves, mix, smooth_step, soft_edge, to_linear

# Draws a random background, [resolution, resolution, 3] float32 in linear light.
Background = Callable[[np.random.Generator, int], np.ndarray]


def _random_colour(rng: np.random.Generator) -> np.ndarray:
    grey = rng.uniform(0.08, 0.95)
    return to_linear(np.clip(grey + rng.normal(0.0, 0.09, 3), 0.0, 1.0))


def _gradient(
    rng: np.random.Generator, across: np.ndarray, down: np.ndarray
) -> np.ndarray:
    angle = rng.uniform(0.0, 2.0 * np.pi)
    position = np.cos(angle) * (across - 0.5) + np.sin(angle) * (down - 0.5)
    weight = smooth_step(position, -0.6, 0.6)
    return mix(_random_colour(rng), _random_colour(rng), weight)


def _noise(
    rng: np.random.Generator, across: np.ndarray, down: np.ndarray
) -> np.ndarray:
    picture = _random_colour(rng)
    points = np.stack([across, down, np.zeros_like(across)], -1)
    for scale in (rng.uniform(3.0, 7.0), rng.uniform(6.0, 14.0)):
        waves = Waves.sample(rng, 7, (scale, scale, 0.0))
        picture = mix(picture, _random_colour(rng), soft_edge(waves(points), 3.0))
    return picture


def _blobs(
    rng: np.random.Generator, across: np.ndarray, down: np.ndarray
) -> np.ndarray:
    picture = _gradient(rng, across, down)
    for _ in range(rng.integers(5, 14)):
        x, y = rng.uniform(-0.1, 1.1, 2)
        radius, blur = rng.uniform(0.05, 0.3), rng.uniform(0.03, 0.12)
        distance = radius - np.hypot(across - x, down - y)
        weight = rng.uniform(0.4, 1.0) * soft_edge(distance, blur)
        picture = mix(picture, _random_colour(rng), weight)
    return picture


def sample_background(rng: np.random.Generator, resolution: int) -> np.ndarray:
    """Draws a synthetic background: a gradient, smooth noise or blurred discs.

    Args:
      rng: Random number generator. The same one draws the same background at every
        resolution.
      resolution: Height and width of the background in pixels.

    Returns:
      [resolution, resolution, 3] float32 in linear light.
    """
    centers = ((np.arange(resolution) + 0.5) / resolution).astype(np.float32)
    across, down = np.meshgrid(centers, centers)
    kind = rng.integers(3)
    if kind == 0:
        picture = _gradient(rng, across, down)
    elif kind == 1:
        picture = _noise(rng, across, down)
    else:
        picture = _blobs(rng, across, down)
    return np.moveaxis(picture, 0, -1).astype(np.float32)


class PictureBackgrounds:
    """Random crops of the pictures in a folder, half of which are mirrored.

    A file that cannot be used is skipped with a warning: another one is drawn.

    Args:
      folder: Folder of pictures and sub-folders.

    Raises:
      UserError: If the folder does not exist or is empty.
    """

    def __init__(self, folder: str | os.PathLike):
        if not Path(folder).is_dir():
            raise UserError(f"{folder} is not a folder of pictures")
        self._folder = folder
        self._files = pictures.list_files(folder)
        self._read = pictures.open_source(folder)
        self._skipped: set[str] = set()

    @property
    def checksum(self) -> str:
        """SHA-256 of the names and sizes of the files, in hexadecimal."""
        return pictures.listing_checksum(self._files)

    def __call__(self, rng: np.random.Generator, resolution: int) -> np.ndarray:
        """Draws a background; the interface is that of `sample_background`.

        Args:
          rng: Random number generator.
          resolution: Height and width of the background in pixels.

        Returns:
          [resolution, resolution, 3] float32 in linear light.

        Raises:
          UserError: If no file is a picture that is large enough.
        """
        size = resolution + resolution // 4
        picture = self._random_picture(rng, size)
        top, left = rng.integers(size - resolution + 1, size=2)
        picture = picture[top : top + resolution, left : left + resolution]
        if rng.uniform() < 0.5:
            picture = picture[:, ::-1]
        return to_linear(picture / np.float32(255.0))

    def _random_picture(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """A random picture `[size, size, 3]` uint8 of those that can be used."""
        reason = ""
        for index in _random_order(rng, len(self._files)):
            name = self._files[index].name
            try:
                return pictures.load_picture(self._read(name), size)
            except pictures.BadPictureError as error:
                bad = f"{Path(self._folder) / pictures.printable(name)}: {error}"
                reason = reason or bad
                # Once for each file, however often it is drawn.
                if name not in self._skipped:
                    self._skipped.add(name)
                    logging.warning("skipped the background %s", bad)
        raise UserError(
            f"no backgrounds in {self._folder}: none of its {len(self._files)} files "
            f"can be used (the first: {reason})"
        )


def _random_order(rng: np.random.Generator, count: int) -> Iterator[int]:
    """Numbers below `count`: one at random, then all of them in random order."""
    yield int(rng.integers(count))
    # Drawn only if the first cannot be used, so that all else stays the same if it can.
    yield from rng.permutation(count)
