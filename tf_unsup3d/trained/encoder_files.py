"""The files of an encoder, which lie beside those of its generator."""

import inspect
import pathlib
from typing import Any, NamedTuple

from tf_unsup3d.errors import UserError
from tf_unsup3d.files import read_json, write_json
from tf_unsup3d.models.encoder import Encoder
from tf_unsup3d.models.generator import Generator
from tf_unsup3d.trained.weights import read_weights, weights_checksum, write_weights

WEIGHTS_NAME = "encoder.npz"
CARD_NAME = "encoder.json"


class TrainedEncoder(NamedTuple):
    """An encoder, and what is known about it.

    Attributes:
      network: The network.
      card: How it was trained, and the limits of what counts as explained, by name.
    """

    network: Encoder
    card: dict[str, Any]


def has_encoder(folder: pathlib.Path) -> bool:
    """Whether a folder holds the files of an encoder."""
    return (folder / CARD_NAME).is_file()


def write_encoder(
    folder: pathlib.Path, encoder: TrainedEncoder, generator: Generator
) -> None:
    """Writes an encoder in half precision.

    Args:
      folder: The folder to write to, usually that of the generator.
      encoder: The encoder.
      generator: The generator whose samples it was trained on.

    Raises:
      UserError: A file cannot be written.
    """
    sizes = {
        name: value
        for name, value in encoder.network.get_config().items()
        if isinstance(value, int) and not isinstance(value, bool)
    }
    about = {
        "network": sizes,
        "generator": weights_checksum(generator),
        "weights": weights_checksum(encoder.network),
    }
    write_weights(encoder.network, folder / WEIGHTS_NAME)
    write_json(folder / CARD_NAME, {**encoder.card, **about})


def read_encoder(folder: pathlib.Path, generator: Generator) -> TrainedEncoder:
    """Reads the encoder of a generator; the files need not be trusted.

    Args:
      folder: Folder of the files.
      generator: The generator that it must have been trained for.

    Returns:
      The encoder.

    Raises:
      UserError: There is no encoder, a file is damaged, the encoder belongs to another
        generator, or its card to other weights.
    """
    path = folder / CARD_NAME
    if not has_encoder(folder):
        raise UserError(
            f"there is no encoder in {folder}; train one with unsup3d-train-encoder"
        )
    card = read_json(path)
    if card.get("generator") != weights_checksum(generator):
        raise UserError(
            f"{path} belongs to another generator, or to an earlier state of this one; "
            "train an encoder anew with unsup3d-train-encoder"
        )
    network = _make_encoder(card.get("network"), path)
    network.build([None, network.resolution, network.resolution, 3])
    read_weights(network, folder / WEIGHTS_NAME)
    # A program that was killed may have left weights beside the card of former ones.
    checksum = weights_checksum(network)
    if card.get("weights", checksum) != checksum:
        raise UserError(
            f"{path} belongs to other weights than those in {folder / WEIGHTS_NAME}; "
            "train an encoder anew with unsup3d-train-encoder"
        )
    return TrainedEncoder(network, card)


def _make_encoder(sizes: object, path: pathlib.Path) -> Encoder:
    """Makes an encoder of the sizes that a card gives."""
    what = f"{path} does not describe an encoder"
    if not isinstance(sizes, dict) or any(
        type(size) is not int for size in sizes.values()
    ):
        raise UserError(f"{what}: network must hold whole numbers by name")
    # Other names would reach Keras, which does strange things with some of them.
    known = inspect.signature(Encoder).parameters.keys() - {"kwargs"}
    if unknown := sorted(sizes.keys() - known):
        raise UserError(f"{what}: an encoder has no {unknown[0]!r}")
    try:
        return Encoder(**sizes, name="encoder")
    except (TypeError, ValueError) as error:
        raise UserError(f"{what}: {error}") from error
