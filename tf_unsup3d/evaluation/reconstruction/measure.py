"""Measures how well pictures whose objects are known are reconstructed."""

import os

import numpy as np
import tensorflow as tf

from tf_unsup3d.evaluation.drawing import Draw, depth_drawing
from tf_unsup3d.evaluation.features.perceptual import (
    PERCEPTUAL_NETWORK,
    PerceptualDistance,
)
from tf_unsup3d.evaluation.reconstruction.report import ReconstructionReport
from tf_unsup3d.evaluation.report import describe_model
from tf_unsup3d.evaluation.shape.depth_metrics import compare_depth
from tf_unsup3d.evaluation.shape.pairs import (
    DepthPairs,
    load_head_pairs,
    sample_pairs,
)
from tf_unsup3d.evaluation.shape.references import average_depth
from tf_unsup3d.geometry.viewpoints import rotation_matrices
from tf_unsup3d.heads.storage import load_truth
from tf_unsup3d.reconstruction.flags import limits_on_card, raise_flags
from tf_unsup3d.reconstruction.reconstructor import (
    STEPS,
    Reconstruction,
    Reconstructor,
    residual_steps,
)
from tf_unsup3d.reconstruction.sheet import reconstruction_sheet
from tf_unsup3d.trained.encoder_files import TrainedEncoder
from tf_unsup3d.trained.trained_model import TrainedModel
from tf_unsup3d.trained.weights import weights_checksum

LARGEST_COUNT = 200
_SHOWN = 16
_CHUNK = 16


def measure_reconstruction(
    model: TrainedModel,
    *,
    count: int = LARGEST_COUNT,
    seed: int = 0,
    truth_dir: str | os.PathLike | None = None,
    encoder: TrainedEncoder | None = None,
    steps: int = STEPS,
    perceptual: PerceptualDistance | None = None,
) -> ReconstructionReport:
    """Measures reconstruction on the model's own samples, and on heads of known shape.

    Pictures are reconstructed by the encoder alone, by optimisation from the mean
    object, by both together, and with residuals after that.

    Args:
      model: The model.
      count: Number of samples, and largest number of heads.
      seed: Seed of the samples, which no encoder is trained on.
      truth_dir: Folder of unsup3d-make-heads, with validation and test pictures of the
        model's resolution, rendered with the model's camera, or None.
      encoder: The encoder; by default the one in the folder of the model.
      steps: Number of steps of the optimisation.
      perceptual: Another distance between pictures and fits, or None.

    Returns:
      The report. Its sheet shows the first samples.

    Raises:
      UserError: There is no encoder, or the truth cannot be used.
    """
    encoder = encoder or model.encoder
    reconstructor = Reconstructor(model, encoder)
    if truth_dir is not None:
        # A wrong folder is to end the measurement before anything is reconstructed.
        validation, test = (
            load_head_pairs(truth_dir, split, model.resolution, model.camera)
            for split in ("validation", "test")
        )
        test = test.take(slice(count))
        head_viewpoints = load_truth(truth_dir, "test", normals=False).viewpoints
    card, draw = encoder.card, depth_drawing(model.renderer)
    limits_on_card(card, 0)  # An encoder without limits is to end it here, too.
    pairs, viewpoints = sample_pairs(model, count, seed=seed)
    samples, shown = _scores(
        reconstructor,
        card,
        draw,
        pairs,
        viewpoints,
        steps,
        perceptual,
        from_mean=True,
    )
    heads = {}
    if truth_dir is not None:
        average = np.broadcast_to(average_depth(validation), test.depth.shape)
        heads["average head"] = _depth_scores(average, test.mask, test)
        found, _ = _scores(
            reconstructor,
            card,
            draw,
            test,
            head_viewpoints[:count],
            steps,
            perceptual,
            from_mean=False,
        )
        heads.update(found)
    settings = describe_model(model, seed) | {
        "samples": len(pairs),
        "steps": steps,
        "encoder_steps": card.get("steps"),
        "encoder_seed": card.get("seed"),
        "encoder_checksum": weights_checksum(encoder.network),
        "perceptual_network": None if perceptual is None else PERCEPTUAL_NETWORK,
        "truth_dir": None if truth_dir is None else str(truth_dir),
        "heads": 0 if truth_dir is None else len(test),
    }
    sheet = reconstruction_sheet(model, shown.take(slice(_SHOWN)))
    return ReconstructionReport(settings, samples, heads, sheet=sheet)


def _scores(
    reconstructor: Reconstructor,
    card: dict,
    draw: Draw,
    pairs: DepthPairs,
    viewpoints: np.ndarray,
    steps: int,
    perceptual: PerceptualDistance | None,
    from_mean: bool,
) -> tuple[dict[str, dict[str, float]], Reconstruction]:
    """The scores of each way of reconstruction, and the result of both together."""
    pictures = pairs.pictures
    # The first calls also build graphs, some for each size of a batch, which is not to
    # be timed.
    reconstructor.refine(reconstructor.fit(pictures, steps=1), 1)
    found = {"encoder": reconstructor.fit(pictures, steps=0)}
    if from_mean:
        found["from the mean"] = reconstructor.fit(pictures, steps=steps, start="mean")
    found["both"] = reconstructor.fit(pictures, steps=steps)
    found["with residuals"] = reconstructor.refine(found["both"], residual_steps(steps))
    scores = {}
    for name, reconstruction in found.items():
        scores[name] = score_reconstruction(reconstruction, draw, pairs, viewpoints)
        if perceptual is not None:
            scores[name]["perceptual"] = _mean_distance(reconstruction, perceptual)
        used = 0 if name == "encoder" else steps
        flags = raise_flags(reconstruction.measures, limits_on_card(card, used))
        # Residuals could match anything, so they are not judged.
        if name != "with residuals":
            scores[name]["flagged"] = float(np.mean([bool(flag) for flag in flags]))
    return scores, found["both"]


def _mean_distance(found: Reconstruction, perceptual: PerceptualDistance) -> float:
    distances = [
        perceptual(tf.constant(part.pictures), tf.constant(part.fits)).numpy()
        for first in range(0, len(found), _CHUNK)
        for part in [found.take(slice(first, first + _CHUNK))]
    ]
    return float(np.concatenate(distances).mean())


def score_reconstruction(
    found: Reconstruction, draw: Draw, pairs: DepthPairs, viewpoints: np.ndarray
) -> dict[str, float]:
    """Compares a reconstruction with what its pictures show.

    Args:
      found: The reconstruction.
      draw: See `depth_drawing`.
      pairs: The pictures with their true depth.
      viewpoints: `[pictures, 3]` true yaw, pitch and roll in radians.

    Returns:
      `viewpoint`, the scores of the depth, `error` and `seconds`; see
      `ReconstructionReport`.
    """
    views = tf.constant(np.radians(found.viewpoints_degrees), tf.float32)
    parts = []
    for first in range(0, len(found), _CHUNK):
        chosen = slice(first, first + _CHUNK)
        part = found.take(chosen)
        _, depth, mask = draw(part.scene, views[chosen], framing=part.framing)
        parts.append((depth.numpy(), mask.numpy()))
    depth, mask = (np.concatenate(part) for part in zip(*parts, strict=True))
    angles = _angles(views.numpy(), viewpoints)
    return {
        "viewpoint": float(np.median(angles)),
        **_depth_scores(depth, mask, pairs),
        "error": float(found.errors.mean()),
        "seconds": found.seconds,
    }


def _depth_scores(
    depth: np.ndarray, mask: np.ndarray, pairs: DepthPairs
) -> dict[str, float]:
    errors = compare_depth(depth, mask, pairs.depth, pairs.mask, pairs.camera)
    return errors.summary()


def _angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angles `[pictures]` in degrees of the rotations between viewpoints."""
    between = tf.matmul(
        rotation_matrices(tf.constant(first, tf.float64)),
        rotation_matrices(tf.constant(second, tf.float64)),
        transpose_b=True,
    )
    cosine = 0.5 * (tf.linalg.trace(between).numpy() - 1.0)
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
