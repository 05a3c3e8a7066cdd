"""Publishing: a trained model made small, in a folder that can be passed on."""

import os
import pathlib
import tempfile
from typing import Any

from tf_unsup3d.errors import UserError
from tf_unsup3d.files import writing
from tf_unsup3d.trained import discriminator_files, encoder_files, model_folder
from tf_unsup3d.trained.trained_model import load

# What not every model has.
_NAMES = (
    discriminator_files.WEIGHTS_NAME,
    encoder_files.CARD_NAME,
    encoder_files.WEIGHTS_NAME,
)


def publish(
    source: str | os.PathLike, folder: pathlib.Path, scores: dict[str, Any]
) -> None:
    """Writes a generator, its discriminator and its encoder, as far as there are any.

    An encoder that cannot be used, such as one of an earlier state of the generator, is
    left out with a warning. If anything else cannot be read or written, the folder
    stays as it was. What it holds of another generator is removed.

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
    encoder = model.usable_encoder()
    card = {**model.card, "scores": {**model.card.get("scores", {}), **scores}}
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # Weights that cannot be written must not leave half of another model here.
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=folder) as kept:
            complete = pathlib.Path(kept)
            model_folder.publish(complete, model.generator, model.configuration, card)
            if discriminator:
                discriminator_files.write_discriminator(complete, discriminator)
            if encoder:
                encoder_files.write_encoder(complete, encoder, model.generator)
            for name in _NAMES:
                if not (complete / name).exists():
                    (folder / name).unlink(missing_ok=True)
            for path in complete.iterdir():
                path.replace(folder / path.name)
