"""Measures the shape of a model on heads whose depth is known."""

import os

from tf_unsup3d.evaluation.report import describe_model
from tf_unsup3d.evaluation.shape.meshes import compare_meshes
from tf_unsup3d.evaluation.shape.pairs import load_head_pairs, sample_pairs
from tf_unsup3d.evaluation.shape.references import (
    cached_reference_scores,
    network_score,
    network_steps,
)
from tf_unsup3d.evaluation.shape.report import ShapeReport
from tf_unsup3d.evaluation.shape.sheet import shape_sheet
from tf_unsup3d.heads.storage import load_meshes
from tf_unsup3d.trained.trained_model import TrainedModel


def measure_shape(
    model: TrainedModel,
    truth_dir: str | os.PathLike,
    *,
    samples: int,
    seed: int = 0,
    references: str | os.PathLike | None = None,
) -> ShapeReport:
    """Measures the depth that a network learns from nothing but the model's pictures.

    Args:
      model: The model.
      truth_dir: Folder of unsup3d-make-heads, with validation and test pictures of the
        model's resolution, rendered with the model's camera.
      samples: Number of pictures with depth that the network is trained on.
      seed: Seed of all random numbers.
      references: File of the reference scores, which are the same for all models. It is
        read if it exists and written otherwise. None computes them anew.

    Returns:
      The report with its sheet.

    Raises:
      UserError: The truth or the file of references cannot be used.
    """
    validation, test = (
        load_head_pairs(truth_dir, split, model.resolution, model.camera)
        for split in ("validation", "test")
    )
    # A damaged file is to end the measurement before networks are trained.
    true_meshes = load_meshes(truth_dir)
    scores = cached_reference_scores(references, validation, test, samples, seed)
    pairs, _ = sample_pairs(model, samples, seed=seed)
    scores["generator"], (depth, mask) = network_score(
        "generator", pairs, test, samples, seed
    )
    settings = describe_model(model, seed) | {
        "truth_dir": str(truth_dir),
        "test_pictures": len(test),
        "samples": samples,
        "network_steps": network_steps(samples),
    }
    meshes = {}
    if true_meshes is not None:
        meshes = compare_meshes(model, true_meshes, seed)
    return ShapeReport(settings, scores, meshes, sheet=shape_sheet(test, depth, mask))
