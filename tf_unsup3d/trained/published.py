"""Generators as small folders to pass on: configuration, weights, what they scored.

`config.gin` is that of the run, `generator.npz` holds the averaged generator in half
precision, `card.json` says how it was trained and what was measured.
"""

import io
import json
import pathlib

import numpy as np

from tf_unsup3d.compat import checkpointable
from tf_unsup3d.errors import UserError
from tf_unsup3d.files import write_bytes

PREFIX = "pretrained:"
WEIGHTS_NAME = "generator.npz"
CARD_NAME = "card.json"
_PRETRAINED = pathlib.Path(__file__).resolve().parents[1] / "pretrained"


def pretrained_names() -> list[str]:
    """Names of the generators that come with the package."""
    return sorted(path.parent.name for path in _PRETRAINED.glob(f"*/{WEIGHTS_NAME}"))


def find_run(model_dir: str | pathlib.Path) -> pathlib.Path:
    """The folder that a --model_dir means.

    Args:
      model_dir: a folder, or "pretrained:NAME" for one that comes with the package.

    Returns:
      The folder.

    Raises:
      UserError: if the package has no generator of that name.
    """
    text = str(model_dir)
    if not text.startswith(PREFIX):
        return pathlib.Path(model_dir)
    name = text.removeprefix(PREFIX)
    if name not in pretrained_names():
        known = ", ".join(pretrained_names()) or "none"
        raise UserError(f"--model_dir: no pretrained {name!r}; there are: {known}")
    return _PRETRAINED / name


def is_published(folder: pathlib.Path) -> bool:
    """Whether a folder holds published weights."""
    return (folder / WEIGHTS_NAME).is_file()


def write_weights(generator, path: pathlib.Path) -> None:
    """Writes the weights of a built `Generator` in half precision.

    Args:
      generator: whose weights all fit in half precision's range.
      path: .npz file to write.

    Raises:
      UserError: if a weight overflows half precision, or the file cannot be written.
    """
    values = [variable.numpy() for variable in checkpointable(generator.variables)]
    if max(np.abs(value).max() for value in values) > np.finfo(np.float16).max:
        raise UserError(f"cannot write {path}: a weight is beyond half precision")
    halves = {f"{i:03d}": value.astype(np.float16) for i, value in enumerate(values)}
    content = io.BytesIO()
    np.savez_compressed(content, **halves)
    write_bytes(path, content.getvalue())


def read_weights(generator, path: pathlib.Path) -> None:
    """Gives a built `Generator` the weights of a file.

    Args:
      generator: of the configuration that the weights were written with.
      path: of the .npz file.

    Raises:
      UserError: if the file is not such a file or does not fit the generator.
    """
    variables = checkpointable(generator.variables)
    try:
        with np.load(path) as file:
            values = [file[name] for name in sorted(file.files)]
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path} holds no weights") from error
    if [value.shape for value in values] != [tuple(v.shape) for v in variables]:
        raise UserError(f"{path} does not fit the config.gin beside it")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value.astype(variable.dtype.as_numpy_dtype))


def read_card(folder: pathlib.Path) -> dict:
    """What `card.json` says.

    Args:
      folder: of a published generator.

    Returns:
      At least `step`.

    Raises:
      UserError: if there is none, or none that can be read.
    """
    path = folder / CARD_NAME
    try:
        card = json.loads(path.read_text())
        return {**card, "step": int(card["step"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} does not say what was trained") from error


def restore(generator, folder: pathlib.Path) -> int:
    """Gives a built `Generator` the weights of a published one.

    Args:
      generator: of the configuration in the folder.
      folder: of the published generator.

    Returns:
      The step that it was trained to.

    Raises:
      UserError: see `read_weights` and `read_card`.
    """
    read_weights(generator, folder / WEIGHTS_NAME)
    return read_card(folder)["step"]
