"""Scores of depth on heads of known shape, and the references to compare them with."""

import dataclasses
import hashlib
import math
import os
import pathlib
from collections.abc import Sequence

import numpy as np
import scipy.ndimage

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.shape.depth_metrics import DepthErrors, compare_depth
from tf_unsup3d.evaluation.shape.depth_network import (
    BATCH_SIZE,
    predict_depth,
    train_depth_network,
)
from tf_unsup3d.evaluation.shape.pairs import DepthPairs
from tf_unsup3d.evaluation.shape.report import FEWEST_SUPERVISED, Score
from tf_unsup3d.files import check_writable, read_json, without_nan, write_json

# Number of times a network sees each pair; twice as many gain little for their time.
PASSES = 12
# Fraction of the pictures that must show an object at a pixel of the average depth.
_FEWEST_COVERING = 0.02
# Names of what `DepthErrors.summary` computes.
_ERRORS = {"missed"} | {
    name
    for field in dataclasses.fields(DepthErrors)
    for name in (field.name, f"{field.name}_std")
}


def network_steps(samples: int) -> int:
    """Computes the number of training steps, the same for every network.

    Args:
      samples: Number of pairs drawn from the generator.

    Returns:
      The number of batches in `PASSES` passes over the pairs.
    """
    return math.ceil(PASSES * samples / BATCH_SIZE)


def flat_card(test: DepthPairs) -> np.ndarray:
    """Makes the depth of a flat card, which is the same everywhere.

    Args:
      test: Pairs that the depth is compared with.

    Returns:
      `[pictures, size, size]`, the distance of their camera.
    """
    return np.full(test.depth.shape, test.camera.distance, np.float32)


def average_depth(pairs: DepthPairs) -> np.ndarray:
    """Averages the depth at each pixel over the pictures that show an object there.

    Pixels where hardly any picture does take the value of the nearest other pixel.

    Args:
      pairs: Pairs whose depth is averaged.

    Returns:
      `[size, size]` float32.
    """
    covered = pairs.mask.sum(0)
    total = np.where(pairs.mask, pairs.depth, 0.0).sum(0, dtype=np.float64)
    enough = covered >= max(1.0, _FEWEST_COVERING * len(pairs))
    average = np.where(enough, total / np.maximum(covered, 1), 0.0)
    nearest = scipy.ndimage.distance_transform_edt(
        ~enough, return_distances=False, return_indices=True
    )
    return average[tuple(nearest)].astype(np.float32)


def reference_scores(
    validation: DepthPairs, test: DepthPairs, samples: int, seed: int
) -> dict[str, Score]:
    """Scores the references that a generator is compared with.

    The flat card and the average depth are given the true masks. The supervised network
    shows what the protocol itself can reach: it is the same network, trained as long,
    on the true depth of as many pictures, or of all validation pictures if those are
    fewer.

    Args:
      validation: True pairs of other heads than those of `test`.
      test: True pairs that the scores are measured on.
      samples: Number of pairs drawn from the generator.
      seed: Seed of the supervised network.

    Returns:
      Scores by name: "flat", "average" and, if there are enough pairs, "supervised".
    """
    average = np.broadcast_to(average_depth(validation), test.depth.shape)
    scores = {
        "flat": _score(flat_card(test), test.mask, test, 0),
        "average": _score(average, test.mask, test, len(validation)),
    }
    if len(validation) >= FEWEST_SUPERVISED:
        pairs = validation.take(slice(samples))
        scores["supervised"], _ = network_score(
            "supervised", pairs, test, samples, seed
        )
    return scores


def network_score(
    name: str, pairs: DepthPairs, test: DepthPairs, samples: int, seed: int
) -> tuple[Score, tuple[np.ndarray, np.ndarray]]:
    """Trains a network on pairs and scores it.

    Args:
      name: Label of the progress bar.
      pairs: Pairs that the network is trained on.
      test: True pairs that the score is measured on.
      samples: Number of pairs that determines the length of training, see
        `network_steps`.
      seed: Seed of the network.

    Returns:
      The score, and the predicted depth and mask of the test pictures,
      `[pictures, size, size]` each.
    """
    network, training = train_depth_network(
        pairs, network_steps(samples), seed=seed, name=name
    )
    depth, mask = predict_depth(network, test.pictures)
    return _score(depth, mask, test, len(pairs), training), (depth, mask)


def _score(
    depth: np.ndarray,
    mask: np.ndarray,
    test: DepthPairs,
    pairs: int,
    training: Sequence = (),
) -> Score:
    errors = compare_depth(depth, mask, test.depth, test.mask, test.camera)
    return Score(pairs, errors.summary(), list(training))


def cached_reference_scores(
    path: str | os.PathLike | None,
    validation: DepthPairs,
    test: DepthPairs,
    samples: int,
    seed: int,
) -> dict[str, Score]:
    """Reads the reference scores from a file, or computes and writes them.

    They do not depend on the model that is measured.

    Args:
      path: JSON file of the scores, or None to compute them without keeping them.
      validation: True pairs of other heads than those of `test`.
      test: True pairs that the scores are measured on.
      samples: Number of pairs drawn from the generator.
      seed: Seed of the supervised network.

    Returns:
      Scores by name, see `reference_scores`.

    Raises:
      UserError: The file holds something else, or scores of other settings.
    """
    made_of = {"truth": _fingerprint(validation, test), "samples": samples}
    made_of |= {"seed": seed, "passes": PASSES}
    if path and pathlib.Path(path).exists():
        return _read_scores(path, made_of)
    if path:
        check_writable(pathlib.Path(path).parent)
    scores = reference_scores(validation, test, samples, seed)
    if path:
        as_dicts = {name: dataclasses.asdict(score) for name, score in scores.items()}
        content = {"made_of": made_of, "scores": without_nan(as_dicts)}
        write_json(path, content)
    return scores


def _read_scores(
    path: str | os.PathLike, made_of: dict[str, object]
) -> dict[str, Score]:
    """Reads the scores of a file, which must have been made of the same."""
    content = read_json(path)
    found, scores = content.get("made_of"), content.get("scores")
    if (
        not isinstance(found, dict)
        or not isinstance(scores, dict)
        or not all(map(_is_score, scores.values()))
    ):
        raise UserError(f"{path} holds no reference scores; name another file")
    if found != made_of:
        different = [
            name for name in made_of | found if found.get(name) != made_of.get(name)
        ]
        raise UserError(
            f"{path} holds references with other {', '.join(different)}; "
            "name another file"
        )
    return {
        name: Score(
            score["pairs"],
            {
                # JSON has no NaN.
                key: math.nan if error is None else error
                for key, error in score["errors"].items()
            },
            score["training"],
        )
        for name, score in scores.items()
    }


def _is_score(value: object) -> bool:
    """Whether a value of a file is a `Score` with all of its errors."""
    if not isinstance(value, dict):
        return False
    pairs, errors = value.get("pairs"), value.get("errors")
    return (
        isinstance(pairs, int)
        and isinstance(value.get("training"), list)
        and isinstance(errors, dict)
        and set(errors) >= _ERRORS
        and all(
            error is None or isinstance(error, int | float) for error in errors.values()
        )
    )


def _fingerprint(*parts: DepthPairs) -> str:
    digest = hashlib.sha256()
    for pairs in parts:
        for array in (pairs.pictures, pairs.depth, pairs.mask):
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
