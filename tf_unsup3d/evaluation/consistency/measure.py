"""Measures how well the views of a model's objects agree."""

import functools

from tf_unsup3d.evaluation.consistency.comparison import compare_pairs
from tf_unsup3d.evaluation.consistency.report import ConsistencyReport
from tf_unsup3d.evaluation.consistency.sheet import consistency_sheet
from tf_unsup3d.evaluation.consistency.variance import VIEWPOINTS, picture_variance
from tf_unsup3d.evaluation.drawing import depth_drawing
from tf_unsup3d.evaluation.features import open_network
from tf_unsup3d.evaluation.random_batches import random_batches
from tf_unsup3d.evaluation.report import describe_model
from tf_unsup3d.trained.trained_model import TrainedModel

OBJECTS = 64


def measure_consistency(
    model: TrainedModel, *, seed: int = 0, feature_weights: str | None = None
) -> ConsistencyReport:
    """Measures how well views agree, and what the view and the latent vector decide.

    Pictures are drawn without lamps: lamps do not turn with the object, so their light
    would differ from view to view.

    Args:
      model: The model.
      seed: Seed of all random numbers.
      feature_weights: Weights of the feature network, see `open_network`.

    Returns:
      The report with its sheet.

    Raises:
      UserError: The weights cannot be used, or the range of yaw is too narrow.
    """
    draw = depth_drawing(model.renderer.replace(lamps=None))
    scenes = functools.partial(
        random_batches, model, OBJECTS, seed=seed, name="consistency"
    )
    network = open_network(feature_weights, model.resolution)
    settings = describe_model(model, seed) | {
        "objects": OBJECTS,
        "viewpoints_of_variance": VIEWPOINTS,
        "features": network.name,
    }
    viewpoints, camera = model.viewpoints, model.camera
    return ConsistencyReport(
        settings,
        compare_pairs(draw, scenes, viewpoints, camera),
        picture_variance(draw, scenes, viewpoints, network, seed),
        sheet=consistency_sheet(draw, scenes, viewpoints, camera),
    )
