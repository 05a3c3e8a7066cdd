"""The folder of a trained model: of a run, or of a generator published from one.

The folder of a run holds `config.gin`, `pictures.json` (the pictures it is trained on),
checkpoints, and records of its training. The folder of a published generator holds
`config.gin`, `generator.npz` (the averaged weights, usually in half precision) and
`card.json` (how the generator was trained, and its measurements), and may hold the
discriminator; see `discriminator_files`. A SavedModel by `unsup3d-export` holds a
published generator, too. Each may hold an encoder of the generator; see
`encoder_files`.
"""

import os
import pathlib
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_unsup3d.compat import checkpointable
from tf_unsup3d.errors import UserError
from tf_unsup3d.files import read_json, write_json, write_text
from tf_unsup3d.gfile_path import to_path
from tf_unsup3d.models.generator import Generator
from tf_unsup3d.trained.checkpoints import (
    Checkpoint,
    restore_checkpoint,
    restore_newest,
)
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.saved_model_folder import published_form
from tf_unsup3d.trained.weights import read_weights, write_weights

PREFIX = "pretrained:"
CONFIG_NAME = "config.gin"
CHECKPOINTS_NAME = "checkpoints"
EVENTS_NAME = "events"
PICTURES_NAME = "pictures.json"
WEIGHTS_NAME = "generator.npz"
CARD_NAME = "card.json"

_PRETRAINED = pathlib.Path(__file__).resolve().parents[1] / "pretrained"


def pretrained_names() -> list[str]:
    """Returns the names of the generators that come with the package."""
    return sorted(path.parent.name for path in _PRETRAINED.glob(f"*/{WEIGHTS_NAME}"))


def find_folder(source: str | os.PathLike) -> pathlib.Path:
    """Finds the folder of a trained model.

    Args:
      source: A folder, that of a SavedModel or of one of its versions included, or
        "pretrained:NAME" for a generator that comes with the package.

    Returns:
      The folder, which need not hold a model.

    Raises:
      UserError: The package has no generator of that name, or the folder is not on
        this machine.
    """
    text = os.fspath(source)
    if not text.startswith(PREFIX):
        folder = to_path(text)
        if not isinstance(folder, pathlib.Path):
            raise UserError(f"the folder of a model must be on this machine: {folder}")
        return published_form(folder) or folder
    name = text.removeprefix(PREFIX)
    if name not in pretrained_names():
        known = ", ".join(pretrained_names()) or "none"
        raise UserError(f"there is no pretrained model {name!r}; there are: {known}")
    return _PRETRAINED / name


def is_published(folder: pathlib.Path) -> bool:
    """Whether a folder holds a published generator."""
    return (folder / WEIGHTS_NAME).is_file()


def read_configuration(folder: pathlib.Path) -> Configuration:
    """Reads the configuration of a trained model.

    Args:
      folder: Folder of a run or of a published generator.

    Returns:
      The configuration.

    Raises:
      UserError: There is no configuration, or it cannot be used.
    """
    path = folder / CONFIG_NAME
    if not path.is_file():
        raise UserError(f"no trained model in {folder}: there is no {path}")
    return Configuration.from_run_file(path)


def write_configuration(folder: pathlib.Path, configuration: Configuration) -> None:
    """Writes the configuration of a run or of a published generator.

    Args:
      folder: Folder of the run or of the published generator.
      configuration: The configuration.

    Raises:
      UserError: The file cannot be written.
    """
    write_text(folder / CONFIG_NAME, configuration.to_gin())


def find_model(source: str | os.PathLike) -> tuple[pathlib.Path, Checkpoint | None]:
    """Finds the folder of a trained model, which may be named by a checkpoint in it.

    Args:
      source: What `find_folder` takes, or the path of a checkpoint of a run: of an
        `.npz` file in the folder of its checkpoints.

    Returns:
      The folder, which need not hold a model, and the checkpoint or None.

    Raises:
      UserError: See `find_folder`.
    """
    # Its folder may be the current one.
    path = pathlib.Path(source).absolute()
    if path.suffix == ".npz" and path.parent.name == CHECKPOINTS_NAME:
        if path.is_file():
            return path.parents[1], Checkpoint(path, 0)
    return find_folder(source), None


def restore_network(
    network: keras.Model,
    name: str,
    folder: pathlib.Path,
    checkpoint: Checkpoint | None = None,
) -> int:
    """Loads a network of a run.

    Args:
      network: A built network with the configuration of the run.
      name: Name of the network in checkpoints: "average", the moving average of the
        generator, "generator" or "discriminator".
      folder: Folder of the run.
      checkpoint: The checkpoint to load, or None for the last one that is intact.

    Returns:
      The step of the checkpoint.

    Raises:
      UserError: There is no checkpoint, it or all are damaged, or one does not fit the
        network.
    """
    step = tf.Variable(0, dtype=tf.int64)
    variables = {name: checkpointable(network.variables), "step": step}

    def restore(found: Checkpoint) -> None:
        restore_checkpoint(found, variables)

    if checkpoint:
        restore(checkpoint)
    elif restore_newest(folder / CHECKPOINTS_NAME, restore) is None:
        raise UserError(f"no checkpoint in {folder / CHECKPOINTS_NAME}")
    return int(step.numpy())


def publish(
    folder: pathlib.Path,
    generator: Generator,
    configuration: Configuration,
    card: dict[str, Any],
    *,
    dtype: type = np.float16,
) -> None:
    """Writes a generator to a small folder that can be passed on.

    Args:
      folder: Folder to write to, which is created if necessary.
      generator: The generator.
      configuration: The configuration of the generator.
      card: Content of `card.json`, with at least `step`.
      dtype: Precision of the weights in the file; see `write_weights`.

    Raises:
      UserError: A file cannot be written.
    """
    write_configuration(folder, configuration)
    write_weights(generator, folder / WEIGHTS_NAME, dtype)
    write_json(folder / CARD_NAME, card)


def read_published(generator: Generator, folder: pathlib.Path) -> dict[str, Any]:
    """Loads published weights into a generator, and reads their card.

    Args:
      generator: A built generator with the configuration in the folder.
      folder: Folder of the published generator.

    Returns:
      The content of `card.json`, with at least `step`.

    Raises:
      UserError: The weights or the card cannot be used.
    """
    path = folder / CARD_NAME
    card = read_json(path)
    _check_card(card, path)
    read_weights(generator, folder / WEIGHTS_NAME)
    return card


def _check_card(card: dict[str, Any], path: pathlib.Path) -> None:
    """Checks what the programs read of a card, which may be of a stranger."""
    step = card.get("step")
    if not isinstance(step, int) or isinstance(step, bool) or step < 0:
        raise UserError(f"{path} does not say how long was trained: step is {step!r}")
    for name in ("data", "licence"):
        if not isinstance(card.get(name, ""), str):
            raise UserError(f"{path}: {name} must be a text")
    limits = card.get("limits", [])
    if not isinstance(limits, list) or not all(isinstance(one, str) for one in limits):
        raise UserError(f"{path}: limits must be a list of texts")
    if not isinstance(card.get("scores", {}), dict):
        raise UserError(f"{path}: scores must hold measurements by name")
