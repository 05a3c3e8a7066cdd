"""Scores of depth on heads of known shape, and what they are held against."""

import dataclasses
import hashlib
import json
import math
import pathlib
from collections.abc import Sequence

import numpy as np
import scipy.ndimage

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.shape.depth_metrics import compare_depth
from tf_unsup3d.evaluation.shape.depth_network import (
    BATCH_SIZE,
    predict_depth,
    train_depth_network,
)
from tf_unsup3d.evaluation.shape.pairs import DepthPairs
from tf_unsup3d.evaluation.shape.report import FEWEST_SUPERVISED, Score
from tf_unsup3d.files import write_bytes

# Each pair is seen so often; twice as often gains little for its time.
PASSES = 12
# A pixel of the average depth needs this part of the pictures.
_FEWEST_COVERING = 0.02


def network_steps(samples: int) -> int:
    """Steps that every network is trained for, whatever it is trained on."""
    return math.ceil(PASSES * samples / BATCH_SIZE)


def flat_card(test: DepthPairs) -> np.ndarray:
    """[pictures, size, size] the camera's distance everywhere."""
    return np.full(test.depth.shape, test.camera.distance, np.float32)


def average_depth(pairs: DepthPairs) -> np.ndarray:
    """The mean depth of each pixel over the pictures that have an object there.

    Pixels where hardly any picture has one take the value of the nearest other pixel.

    Args:
      pairs: to average.

    Returns:
      [size, size] float32.
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
    """What a generator's score has to be held against.

    A flat card and the average depth are given the true masks. The supervised network
    is what the protocol itself can reach: the same network, trained as long, on true
    depth of as many pictures, or of all there are.

    Args:
      validation: true pairs of other heads than those of the test.
      test: true pairs to measure on.
      samples: pairs that the generator gives.
      seed: of the network.

    Returns:
      Scores by name.
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
    """Trains a network on pairs and measures it.

    Args:
      name: shown beside the progress bar.
      pairs: to train on.
      test: true pairs to measure on.
      samples: that set the length of training, see `network_steps`.
      seed: of the network.

    Returns:
      The score, and what the network predicts: depth and mask, [pictures, size, size]
      each.
    """
    network, training = train_depth_network(
        pairs, network_steps(samples), seed=seed, name=name
    )
    depth, mask = predict_depth(network, test.pictures)
    return _score(depth, mask, test, len(pairs), training), (depth, mask)


def _score(depth, mask, test: DepthPairs, pairs: int, training: Sequence = ()):
    errors = compare_depth(depth, mask, test.depth, test.mask, test.camera)
    return Score(pairs, errors.summary(), list(training))


def cached_reference_scores(
    path: str | None,
    validation: DepthPairs,
    test: DepthPairs,
    samples: int,
    seed: int,
) -> dict[str, Score]:
    """`reference_scores`, kept in a file: they are the same for all runs.

    Args:
      path: JSON file, written if missing; none to compute them anew.
      validation: see `reference_scores`, as the rest.
      test: see there.
      samples: see there.
      seed: see there.

    Returns:
      Scores by name.

    Raises:
      UserError: if the file holds something else, or references of other settings.
    """
    made_of = {"truth": _fingerprint(validation, test), "samples": samples}
    made_of |= {"seed": seed, "passes": PASSES}
    if path and pathlib.Path(path).exists():
        try:
            content = json.loads(pathlib.Path(path).read_text())
            found = content["made_of"]
            scores = {name: Score(**score) for name, score in content["scores"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path} holds no reference scores") from error
        if found != made_of:
            different = [name for name in made_of if found.get(name) != made_of[name]]
            raise UserError(
                f"{path} holds references with other {', '.join(different)}; "
                "name another file"
            )
        return scores
    scores = reference_scores(validation, test, samples, seed)
    if path:
        as_dicts = {name: dataclasses.asdict(score) for name, score in scores.items()}
        content = {"made_of": made_of, "scores": as_dicts}
        write_bytes(path, (json.dumps(content, indent=2) + "\n").encode())
    return scores


def _fingerprint(*parts: DepthPairs) -> str:
    digest = hashlib.sha256()
    for pairs in parts:
        for array in (pairs.pictures, pairs.depth, pairs.mask):
            digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()
