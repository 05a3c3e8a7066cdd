"""How alike the descriptors of faces are."""

import dataclasses

import numpy as np

# Two faces at most this far apart are taken for one person; dlib's authors chose it.
SAME_PERSON = 0.6


@dataclasses.dataclass(frozen=True)
class Similarity:
    """Similarity of pairs of faces.

    Attributes:
      pairs: Number of pairs.
      ID: Mean cosine similarity of the descriptors, from which the mean descriptor of
        real pictures is subtracted: 1 for equal pictures, about 0 for different people.
      ID_std: Standard deviation of the same over the pairs.
      cosine: Mean cosine similarity of the descriptors as they are.
      distance: Mean Euclidean distance of the descriptors.
      same_person: Fraction of the pairs whose distance is at most `SAME_PERSON`.
    """

    pairs: int
    ID: float
    ID_std: float
    cosine: float
    distance: float
    same_person: float


def compare_descriptors(
    first: np.ndarray, second: np.ndarray, mean: np.ndarray
) -> Similarity:
    """Compares descriptors pair by pair.

    All descriptors of dlib's network have a large part in common, so that even those of
    different people have a cosine similarity of almost 0.9. Without that part the scale
    begins at 0, as it does for other networks.

    Args:
      first: `[pairs, size]`.
      second: `[pairs, size]`.
      mean: `[size]`, the mean descriptor of real pictures.

    Returns:
      The similarity.
    """
    centred = _cosine(first - mean, second - mean)
    distance = np.linalg.norm(first - second, axis=-1)
    return Similarity(
        pairs=len(first),
        ID=float(centred.mean()),
        ID_std=float(centred.std()),
        cosine=float(_cosine(first, second).mean()),
        distance=float(distance.mean()),
        same_person=float((distance <= SAME_PERSON).mean()),
    )


def _cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    return np.sum(first * second, -1) / np.maximum(lengths, 1e-12)
