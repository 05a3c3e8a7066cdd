"""The file of a discriminator, which lies beside that of its generator.

No picture is made with it. A new run that starts from a published generator needs it: a
discriminator that knows nothing spoils what the generator has learned.
"""

import os
import pathlib

from tf_unsup3d.models.discriminator import Discriminator
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.weights import read_weights, write_weights

WEIGHTS_NAME = "discriminator.npz"


def load_discriminator(source: str | os.PathLike) -> Discriminator | None:
    """Loads the discriminator that a generator was trained against.

    Args:
      source: What `trained_model.load` takes.

    Returns:
      The discriminator, or None if the folder is one of a published generator without
      one.

    Raises:
      UserError: There is no model, or its discriminator cannot be used.
    """
    folder, checkpoint = model_folder.find_model(source)
    discriminator = model_folder.read_configuration(folder).make_discriminator()
    if not model_folder.is_published(folder):
        model_folder.restore_network(discriminator, "discriminator", folder, checkpoint)
    elif (folder / WEIGHTS_NAME).is_file():
        read_weights(discriminator, folder / WEIGHTS_NAME)
    else:
        return None
    return discriminator


def write_discriminator(folder: pathlib.Path, discriminator: Discriminator) -> None:
    """Writes a discriminator in half precision.

    Args:
      folder: The folder of the generator.
      discriminator: The discriminator.

    Raises:
      UserError: The file cannot be written.
    """
    write_weights(discriminator, folder / WEIGHTS_NAME)
