"""Measures how well the views of a model's objects agree."""

import functools

from tf_unsup3d.evaluation.consistency.comparison import compare_pairs
from tf_unsup3d.evaluation.consistency.report import ConsistencyReport
from tf_unsup3d.evaluation.consistency.sheet import consistency_sheet
from tf_unsup3d.evaluation.consistency.variance import VIEWPOINTS, picture_variance
from tf_unsup3d.evaluation.drawing import depth_drawing
from tf_unsup3d.evaluation.features.network import FeatureNetwork
from tf_unsup3d.evaluation.random_batches import random_batches
from tf_unsup3d.evaluation.report import describe_model
from tf_unsup3d.trained.trained_model import TrainedModel

OBJECTS = 64


def measure_consistency(
    model: TrainedModel, network: FeatureNetwork, *, seed: int = 0
) -> ConsistencyReport:
    """Measures how well views agree, and what the view and the latent vector decide.

    Pictures are drawn without lamps: lamps do not turn with the object, so their light
    would differ from view to view.

    Args:
      model: The model.
      network: Network that computes the features whose variance is split.
      seed: Seed of all random numbers.

    Returns:
      The report with its sheet.

    Raises:
      UserError: The range of yaw is too narrow.
    """
    draw = depth_drawing(model.renderer.replace(lamps=None))
    scenes = functools.partial(
        random_batches, model, OBJECTS, seed=seed, name="consistency"
    )
    settings = describe_model(model, seed) | {
        "objects": OBJECTS,
        "viewpoints_of_variance": VIEWPOINTS,
        "feature_network": network.name,
        "features": network.description,
    }
    viewpoints, camera = model.viewpoints, model.camera
    return ConsistencyReport(
        settings,
        compare_pairs(draw, scenes, viewpoints, camera),
        picture_variance(draw, scenes, viewpoints, network, seed),
        sheet=consistency_sheet(draw, scenes, viewpoints, camera),
    )
