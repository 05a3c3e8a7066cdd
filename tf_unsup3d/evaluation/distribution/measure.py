"""Measures how far a model's pictures are from real ones."""

import os

from tf_unsup3d.data.dataset import open_pictures
from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.distribution.report import (
    FEWEST_PICTURES,
    DistributionReport,
    distribution_report,
)
from tf_unsup3d.evaluation.features import open_network
from tf_unsup3d.evaluation.random_batches import random_batches
from tf_unsup3d.evaluation.report import describe_model
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.trained.trained_model import TrainedModel

_BATCH_SIZE = 64


def measure_distribution(
    model: TrainedModel,
    data_dir: str | os.PathLike,
    *,
    samples: int,
    seed: int = 0,
    feature_weights: str | None = None,
) -> DistributionReport:
    """Measures FID and KID of a model's pictures, and of real ones, to other real ones.

    The real pictures are mirrored at random if the training pictures were.

    Args:
      model: The model.
      data_dir: Folder of real pictures, prepared by unsup3d-prepare-data or not.
      samples: Number of pictures of each kind. Half of the real pictures are used if
        that is fewer.
      seed: Seed of all random numbers.
      feature_weights: Weights of the feature network, see `open_network`.

    Returns:
      The report.

    Raises:
      UserError: The pictures or the weights cannot be used, or there are too few
        pictures.
    """
    pictures = open_pictures(data_dir, model.resolution)
    count = min(samples, pictures.count // 2)
    if count < FEWEST_PICTURES:
        raise UserError(
            f"--data_dir: {data_dir} holds {pictures.count} pictures; to compare"
            f" one half with the other takes {2 * FEWEST_PICTURES}"
        )
    network = open_network(feature_weights, model.resolution)
    mirror = model.configuration.training.mirror
    batches = pictures.batches(_BATCH_SIZE, seed=seed, mirror=mirror, repeat=False)
    real = network.features(
        to_uint8(batch.numpy()) for batch in batches.take(-(-2 * count // _BATCH_SIZE))
    )
    generated = network.features(
        to_uint8(model.renderer(*batch)["picture"].numpy())
        for batch in random_batches(model, count, seed=seed)
    )
    settings = describe_model(model, seed) | {
        "data_dir": str(data_dir),
        "data_checksum": pictures.checksum,
        "mirror": mirror,
        "features": network.name,
        "note": network.note,
    }
    return distribution_report(
        settings, generated, real[:count], real[count : 2 * count], seed
    )
