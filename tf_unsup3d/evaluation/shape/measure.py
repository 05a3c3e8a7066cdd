"""The shape of a model, measured on heads whose depth is known."""

import dataclasses

import numpy as np

from tf_unsup3d.evaluation.report import describe_model
from tf_unsup3d.evaluation.shape.pairs import load_head_pairs, sample_pairs
from tf_unsup3d.evaluation.shape.references import (
    cached_reference_scores,
    network_score,
    network_steps,
)
from tf_unsup3d.evaluation.shape.report import ShapeReport
from tf_unsup3d.evaluation.shape.sheet import shape_sheet
from tf_unsup3d.trained.trained_model import TrainedModel


@dataclasses.dataclass(frozen=True)
class ShapeMeasurement:
    """What is measured of a model's shape.

    Attributes:
      report: The scores.
      sheet: [height, width, 3] uint8, predicted beside true depth.
    """

    report: ShapeReport
    sheet: np.ndarray


def measure_shape(
    model: TrainedModel,
    truth_dir: str,
    *,
    samples: int,
    seed: int = 0,
    references: str | None = None,
) -> ShapeMeasurement:
    """Measures the depth that a network learns from the model's pictures alone.

    Args:
      model: The model.
      truth_dir: Folder of unsup3d-make-heads, with validation and test pictures of the
        model's resolution.
      samples: Number of pictures with depth that the network is trained on.
      seed: Seed of everything random.
      references: File that keeps the scores of the references, which are the same for
        all models: read if it exists, else written. None computes them anew.

    Returns:
      The report and its sheet.

    Raises:
      UserError: The truth or the file of references cannot be used.
    """
    validation, test = (
        load_head_pairs(truth_dir, split, model.resolution)
        for split in ("validation", "test")
    )
    scores = cached_reference_scores(references, validation, test, samples, seed)
    pairs = sample_pairs(model, samples, seed=seed)
    scores["generator"], predicted = network_score(
        "generator", pairs, test, samples, seed
    )
    settings = describe_model(model, seed) | {
        "truth_dir": truth_dir,
        "test_pictures": len(test),
        "samples": samples,
        "network_steps": network_steps(samples),
    }
    report = ShapeReport(settings, scores)
    return ShapeMeasurement(report, shape_sheet(test, *predicted))
