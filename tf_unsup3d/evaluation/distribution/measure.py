"""Measures how far a model's pictures are from real ones."""

import os

from tf_unsup3d.data.dataset import PictureSet, open_pictures
from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.distribution.report import (
    FEWEST_PICTURES,
    DistributionReport,
    distribution_report,
)
from tf_unsup3d.evaluation.distribution.uint8_batches import uint8_batches
from tf_unsup3d.evaluation.features.network import FeatureNetwork
from tf_unsup3d.evaluation.random_batches import random_batches
from tf_unsup3d.evaluation.report import describe_model
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.trained.trained_model import TrainedModel

_BATCH_SIZE = 64


def open_real_pictures(
    data_dir: str | os.PathLike, resolution: int, samples: int
) -> PictureSet:
    """Opens the real pictures that a model's are compared with.

    Args:
      data_dir: Folder of real pictures, prepared by unsup3d-prepare-data or not.
      resolution: Height and width of the model's pictures.
      samples: See `measure_distribution`.

    Returns:
      The pictures.

    Raises:
      UserError: The pictures cannot be used, or there are too few.
    """
    pictures = open_pictures(data_dir, resolution)
    if _count(pictures, samples) < FEWEST_PICTURES:
        raise UserError(
            f"--data_dir: {data_dir} holds {pictures.count} pictures; to compare"
            f" one half with the other takes {2 * FEWEST_PICTURES}"
        )
    return pictures


def measure_distribution(
    model: TrainedModel,
    pictures: PictureSet,
    network: FeatureNetwork,
    *,
    samples: int,
    seed: int = 0,
) -> DistributionReport:
    """Measures FID and KID of a model's pictures, and of real ones, to other real ones.

    The real pictures are mirrored at random if the training pictures were.

    Args:
      model: The model.
      pictures: The real pictures, of `open_real_pictures`.
      network: Network that computes the features.
      samples: Number of pictures of each kind. Half of the real pictures are used if
        that is fewer.
      seed: Seed of all random numbers.

    Returns:
      The report.

    Raises:
      UserError: The pictures can no longer be read.
    """
    count = _count(pictures, samples)
    mirror = model.configuration.training.mirror
    batches = pictures.batches(_BATCH_SIZE, seed=seed, mirror=mirror, repeat=False)
    taken = batches.take(-(-2 * count // _BATCH_SIZE))
    real = network.features(uint8_batches(pictures, taken))
    generated = network.features(
        to_uint8(model.renderer(**batch._asdict())["picture"].numpy())
        for batch in random_batches(model, count, seed=seed)
    )
    settings = describe_model(model, seed) | {
        "data_dir": str(pictures.data_dir),
        "data_checksum": pictures.checksum,
        "mirror": mirror,
        "feature_network": network.name,
        "features": network.description,
        "note": network.note,
    }
    return distribution_report(
        settings, generated, real[:count], real[count : 2 * count], seed
    )


def _count(pictures: PictureSet, samples: int) -> int:
    """The number of pictures of each kind that are compared."""
    return min(samples, pictures.count // 2)
