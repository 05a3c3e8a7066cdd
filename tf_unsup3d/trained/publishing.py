"""Publishing: a trained model made small, in a folder that can be passed on."""

import os
import pathlib
from typing import Any

from tf_unsup3d.errors import UserError
from tf_unsup3d.files import writing
from tf_unsup3d.trained import discriminator_files, encoder_files, model_folder
from tf_unsup3d.trained.trained_model import load


def publish(
    source: str | os.PathLike, folder: pathlib.Path, scores: dict[str, Any]
) -> None:
    """Writes a generator, its discriminator and its encoder, as far as there are any.

    All of them are read before anything is written. What the folder holds of another
    generator is removed.

    Args:
      source: What `trained_model.load` takes.
      folder: Folder to write to, which is created if necessary.
      scores: Measurements by name, which join those on the card of the model.

    Raises:
      UserError: Something cannot be read or written, or the folder is one of a run.
    """
    if (folder / model_folder.CHECKPOINTS_NAME).exists():
        raise UserError(f"--output: {folder} is the folder of a run; name another one")
    model = load(source)
    discriminator = discriminator_files.load_discriminator(source)
    has_encoder = model.folder is not None and encoder_files.has_encoder(model.folder)
    encoder = model.encoder if has_encoder else None
    card = {**model.card, "scores": {**model.card.get("scores", {}), **scores}}
    model_folder.publish(folder, model.generator, model.configuration, card)
    if discriminator:
        discriminator_files.write_discriminator(folder, discriminator)
    else:
        _remove(folder, discriminator_files.WEIGHTS_NAME)
    if encoder:
        encoder_files.write_encoder(folder, encoder, model.generator)
    else:
        _remove(folder, encoder_files.CARD_NAME, encoder_files.WEIGHTS_NAME)


def _remove(folder: pathlib.Path, *names: str) -> None:
    """Removes files of a folder, as far as there are any."""
    with writing(folder):
        for name in names:
            (folder / name).unlink(missing_ok=True)
