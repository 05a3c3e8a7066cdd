"""How well the views of a model's objects agree, without any truth."""

import dataclasses
import functools

import numpy as np

from tf_unsup3d.evaluation.consistency.comparison import (
    VIEWPOINTS,
    measure_pairs,
    measure_variance,
)
from tf_unsup3d.evaluation.consistency.report import ConsistencyReport
from tf_unsup3d.evaluation.consistency.sheet import consistency_sheet
from tf_unsup3d.evaluation.distribution.features import open_network
from tf_unsup3d.evaluation.report import describe_model
from tf_unsup3d.evaluation.samples import depth_drawing, random_batches
from tf_unsup3d.trained.trained_model import TrainedModel

OBJECTS = 64


@dataclasses.dataclass(frozen=True)
class ConsistencyMeasurement:
    """What is measured of the views of a model's objects.

    Attributes:
      report: The numbers.
      sheet: [height, width, 3] uint8, views drawn with the colours of others.
    """

    report: ConsistencyReport
    sheet: np.ndarray


def measure_consistency(
    model: TrainedModel, *, seed: int = 0, feature_weights: str | None = None
) -> ConsistencyMeasurement:
    """Measures how well views agree, and what view and latent vector each decide.

    This is done without light: the lamps stay with the camera, so views differ by it.

    Args:
      model: The model.
      seed: Seed of everything random.
      feature_weights: See `open_network`.

    Returns:
      The report and its sheet.

    Raises:
      UserError: The weights cannot be used, or the viewpoints span too little yaw.
    """
    draw = depth_drawing(model.renderer.replace(lamps=None))
    scenes = functools.partial(
        random_batches, model, OBJECTS, seed=seed, name="consistency"
    )
    network = open_network(feature_weights, model.resolution)
    report = ConsistencyReport(
        describe_model(model, seed)
        | {
            "objects": OBJECTS,
            "viewpoints_of_variance": VIEWPOINTS,
            "features": network.name,
        },
        measure_pairs(draw, scenes, model.viewpoints, model.camera),
        measure_variance(draw, scenes, model.viewpoints, network, seed),
    )
    sheet = consistency_sheet(draw, scenes, model.viewpoints, model.camera)
    return ConsistencyMeasurement(report, sheet)
