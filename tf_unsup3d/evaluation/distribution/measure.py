"""Measures how far a model's pictures are from real ones."""

import os

from tf_unsup3d.data.dataset import open_pictures
from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.distribution.report import (
    FEWEST_PICTURES,
    DistributionReport,
    distribution_report,
)
from tf_unsup3d.evaluation.features.network import FeatureNetwork
from tf_unsup3d.evaluation.random_batches import random_batches
from tf_unsup3d.evaluation.report import describe_model
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.trained.trained_model import TrainedModel

_BATCH_SIZE = 64


def measure_distribution(
    model: TrainedModel,
    data_dir: str | os.PathLike,
    network: FeatureNetwork,
    *,
    samples: int,
    seed: int = 0,
) -> DistributionReport:
    """Measures FID and KID of a model's pictures, and of real ones, to other real ones.

    The real pictures are mirrored at random if the training pictures were.

    Args:
      model: The model.
      data_dir: Folder of real pictures, prepared by unsup3d-prepare-data or not.
      network: Network that computes the features.
      samples: Number of pictures of each kind. Half of the real pictures are used if
        that is fewer.
      seed: Seed of all random numbers.

    Returns:
      The report.

    Raises:
      UserError: The pictures cannot be used, or there are too few.
    """
    pictures = open_pictures(data_dir, model.resolution)
    count = min(samples, pictures.count // 2)
    if count < FEWEST_PICTURES:
        raise UserError(
            f"--data_dir: {data_dir} holds {pictures.count} pictures; to compare"
            f" one half with the other takes {2 * FEWEST_PICTURES}"
        )
    mirror = model.configuration.training.mirror
    batches = pictures.batches(_BATCH_SIZE, seed=seed, mirror=mirror, repeat=False)
    with pictures.iterating():
        real = network.features(
            to_uint8(batch.numpy())
            for batch in batches.take(-(-2 * count // _BATCH_SIZE))
        )
    generated = network.features(
        to_uint8(model.renderer(**batch._asdict())["picture"].numpy())
        for batch in random_batches(model, count, seed=seed)
    )
    settings = describe_model(model, seed) | {
        "data_dir": str(data_dir),
        "data_checksum": pictures.checksum,
        "mirror": mirror,
        "feature_network": network.name,
        "features": network.description,
        "note": network.note,
    }
    return distribution_report(
        settings, generated, real[:count], real[count : 2 * count], seed
    )
