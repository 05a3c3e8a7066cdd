"""Distances between two sets of features: FID and KID."""

import numpy as np

# Number and size of the random subsets of KID, as its authors chose them.
SUBSETS = 100
SUBSET_SIZE = 1000


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Fréchet distance of two sets of features (FID, Heusel et al. 2017).

    This is the distance of the normal distributions that have the means and covariances
    of the sets, see `gaussian_distance`. It is biased upwards, and the more so the
    fewer pictures there are.

    Args:
      first: `[pictures, features]`, at least two pictures.
      second: `[pictures, features]`, at least two pictures.

    Returns:
      The distance, at least 0.
    """
    moments = []
    for features in (first, second):
        features = np.asarray(features, np.float64)
        moments += [features.mean(0), np.atleast_2d(np.cov(features.T))]
    return gaussian_distance(*moments)


def gaussian_distance(
    first_mean: np.ndarray,
    first_covariance: np.ndarray,
    second_mean: np.ndarray,
    second_covariance: np.ndarray,
) -> float:
    """Squared 2-Wasserstein distance of normal distributions (Dowson and Landau 1982).

    |m - n|^2 + tr(S + T - 2 (S T)^(1/2)). The trace of the root is that of
    (S^(1/2) T S^(1/2))^(1/2), which is symmetric: negative eigenvalues are rounding
    errors, and singular covariances do no harm.

    Args:
      first_mean: `[features]`.
      first_covariance: `[features, features]`.
      second_mean: `[features]`.
      second_covariance: `[features, features]`.

    Returns:
      The distance, at least 0.
    """
    eigenvalues, vectors = np.linalg.eigh(first_covariance)
    root = (vectors * np.sqrt(np.maximum(eigenvalues, 0.0))) @ vectors.T
    product = np.linalg.eigvalsh(root @ second_covariance @ root)
    distance = np.sum((first_mean - second_mean) ** 2)
    distance += np.trace(first_covariance) + np.trace(second_covariance)
    distance -= 2.0 * np.sum(np.sqrt(np.maximum(product, 0.0)))
    return max(float(distance), 0.0)


def subset_size(pictures: int) -> int:
    """Computes the size of the subsets of KID.

    Args:
      pictures: Number of pictures on either side.

    Returns:
      The size, at most half of the pictures, so that the subsets differ.
    """
    return min(SUBSET_SIZE, pictures // 2)


def kernel_distances(first: np.ndarray, second: np.ndarray, seed: int) -> np.ndarray:
    """Computes `kernel_distance` of random subsets (Bińkowski et al. 2018, section 5).

    Args:
      first: `[pictures, features]`.
      second: `[pictures, features]`, as many pictures.
      seed: Seed of the subsets.

    Returns:
      `[SUBSETS]`.
    """
    random = np.random.default_rng(seed)
    size = subset_size(len(first))
    return np.array(
        [
            kernel_distance(
                *(
                    features[random.choice(len(features), size, replace=False)]
                    for features in (first, second)
                )
            )
            for _ in range(SUBSETS)
        ]
    )


def kernel_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Squared maximum mean discrepancy of two sets of features (KID).

    The unbiased estimate (Gretton et al. 2012, lemma 6) with the kernel
    (x . y / features + 1)^3 of Bińkowski et al. 2018. For equal distributions its mean
    is 0, whatever the number of pictures, so it may be negative.

    Args:
      first: `[pictures, features]`, at least two pictures.
      second: `[pictures, features]`, at least two pictures.

    Returns:
      The estimate.
    """
    within = sum(_mean_without_diagonal(_kernel(x, x)) for x in (first, second))
    return float(within - 2.0 * _kernel(first, second).mean())


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return (first @ second.T / first.shape[1] + 1.0) ** 3


def _mean_without_diagonal(matrix: np.ndarray) -> float:
    count = len(matrix)
    return (matrix.sum() - np.trace(matrix)) / (count * (count - 1))
