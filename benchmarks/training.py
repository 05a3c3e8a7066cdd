"""Trains the same generator on several devices, and compares losses and time."""

import dataclasses
import pathlib
import statistics
import time

import numpy as np
import tensorflow as tf
from PIL import Image

from tf_unsup3d.data.dataset import PictureSet, open_pictures
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.training.trainer import Trainer, TrainingObserver

# How far the measurements of the first steps may differ between devices: at first by
# rounding alone, which Adam then multiplies, since it makes steps of one size of
# gradients of all sizes. With two convolutions of the CPU that round differently,
# oneDNN's and Eigen's, they differed by 1e-7 at the first step, by 3e-4 at the fifth
# and by 3e-2 at the eighth (heads32.gin).
COMPARED_STEPS = 5
FIRST_BOUND, LAST_BOUND = 1e-3, 5e-2
# Times until then include graphs being built.
WARM_UP_STEPS = 50


@dataclasses.dataclass(frozen=True)
class TrainingRun:
    """A training on one device.

    Attributes:
      losses: For each step, its measurements by name.
      seconds: For each step, the time since the step before.
    """

    losses: list[dict[str, float]]
    seconds: list[float]

    @property
    def seconds_per_step(self) -> float:
        """The median, without the first steps."""
        return statistics.median(self.seconds[WARM_UP_STEPS:] or self.seconds)


class _Recorder(TrainingObserver):
    """Keeps the measurements and the time of each step."""

    def __init__(self) -> None:
        self.losses: list[dict[str, float]] = []
        self.seconds: list[float] = []
        self._last = time.perf_counter()

    def record(self, step: int, values: dict[str, float]) -> None:
        del step
        now = time.perf_counter()
        self.seconds.append(now - self._last)
        self._last = now
        self.losses.append(
            {
                name: value
                for name, value in values.items()
                if name != "pictures_per_second"
            }
        )


def write_pictures(folder: pathlib.Path, count: int, resolution: int) -> PictureSet:
    """Writes random pictures of soft blobs.

    Args:
      folder: Folder for the pictures.
      count: Number of pictures.
      resolution: Height and width of a picture in pixels.

    Returns:
      The pictures.
    """
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for index in range(count):
        small = Image.fromarray(rng.integers(0, 255, [5, 5, 3], np.uint8))
        size = (resolution, resolution)
        small.resize(size, Image.Resampling.BICUBIC).save(folder / f"{index}.png")
    return open_pictures(folder, resolution)


def write_start(configuration: Configuration, folder: pathlib.Path) -> None:
    """Writes random networks for several runs to begin with.

    Args:
      configuration: The configuration.
      folder: Folder for a run that is not trained.
    """
    Trainer(configuration, folder, tf.distribute.OneDeviceStrategy("/CPU:0")).save()
    model_folder.write_configuration(folder, configuration)


def train(
    device: str,
    configuration: Configuration,
    pictures: PictureSet,
    folder: pathlib.Path,
    start: pathlib.Path,
) -> TrainingRun:
    """Trains on one device and records each step.

    Args:
      device: Name of the device, such as `/GPU:0`.
      configuration: The configuration, which must log every step.
      pictures: The real pictures.
      folder: Folder of the run.
      start: Folder of the networks to begin with.

    Returns:
      What was recorded.
    """
    trainer = Trainer(configuration, folder, tf.distribute.OneDeviceStrategy(device))
    trainer.transfer(start)
    recorder = _Recorder()
    trainer.train(pictures, recorder)
    return TrainingRun(recorder.losses, recorder.seconds)


def differences(run: TrainingRun, other: TrainingRun) -> list[float]:
    """Compares the first steps of two runs.

    Args:
      run: A run.
      other: Another run.

    Returns:
      For each of the first `COMPARED_STEPS` steps, the largest difference of a
      measurement, relative to its size if that is above 1. It is infinite where one is
      not a number.
    """
    found = []
    for one, two in zip(run.losses, other.losses, strict=True):
        errors = [
            abs(value - two[name]) / max(1.0, abs(two[name]))
            for name, value in one.items()
        ]
        found.append(max(e if np.isfinite(e) else np.inf for e in errors))
    return found[:COMPARED_STEPS]


def first_difference(found: list[float]) -> int | None:
    """Finds the first step whose difference exceeds its bound.

    Args:
      found: The result of `differences`.

    Returns:
      The index of the step, or None.
    """
    for index, difference in enumerate(found):
        bound = FIRST_BOUND if index == 0 else LAST_BOUND
        if not difference <= bound:
            return index
    return None
