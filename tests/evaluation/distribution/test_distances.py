import json

import numpy as np
import pytest
import scipy.linalg

from tf_unsup3d.evaluation.distribution import distances
from tf_unsup3d.evaluation.distribution.distances import (
    frechet_distance,
    gaussian_distance,
    kernel_distance,
    kernel_distances,
    subset_size,
)
from tf_unsup3d.evaluation.distribution.report import distribution_report


@pytest.fixture
def random():
    return np.random.default_rng(0)


def random_covariance(random, size):
    factor = random.normal(size=[size, size])
    return factor @ factor.T


def test_distance_of_normal_distributions_in_closed_form(random):
    # Of commuting covariances it is |m - n|^2 + sum (sqrt s - sqrt t)^2.
    first, second = np.array([4.0, 9.0, 0.0]), np.array([1.0, 16.0, 25.0])
    turn, _ = np.linalg.qr(random.normal(size=[3, 3]))
    distance = gaussian_distance(
        np.array([1.0, 2.0, 3.0]),
        turn @ np.diag(first) @ turn.T,
        np.array([1.0, 0.0, 2.0]),
        turn @ np.diag(second) @ turn.T,
    )
    assert distance == pytest.approx(5.0 + 1.0 + 1.0 + 25.0)


def test_distance_agrees_with_the_root_of_a_matrix(random):
    means = random.normal(size=[2, 6])
    covariances = [random_covariance(random, 6) for _ in means]
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    expected = np.sum((means[0] - means[1]) ** 2) + np.trace(
        covariances[0] + covariances[1] - 2.0 * root
    )
    found = gaussian_distance(means[0], covariances[0], means[1], covariances[1])
    assert found == pytest.approx(expected, rel=1e-9)
    swapped = gaussian_distance(means[1], covariances[1], means[0], covariances[0])
    assert found == pytest.approx(swapped, rel=1e-9)


def test_features_with_known_moments():
    # Mean 1 and variance 2 (unbiased); mean 3 and variance 8.
    first, second = np.array([[0.0], [2.0]]), np.array([[1.0], [5.0]])
    expected = 4.0 + (np.sqrt(8.0) - np.sqrt(2.0)) ** 2
    assert frechet_distance(first, second) == pytest.approx(expected)


def test_fewer_pictures_than_features(random):
    features = random.normal(size=[10, 30])
    assert frechet_distance(features, features) == pytest.approx(0.0, abs=1e-9)
    assert frechet_distance(features, features + 1.0) == pytest.approx(30.0)


def test_kernel_distance_agrees_with_explicit_loops(random):
    first, second = random.normal(size=[5, 3]), random.normal(1.0, 1.0, size=[4, 3])

    def kernel(x, y):
        return (sum(a * b for a, b in zip(x, y, strict=True)) / 3.0 + 1.0) ** 3

    def within(points):
        values = [
            kernel(x, y)
            for i, x in enumerate(points)
            for j, y in enumerate(points)
            if i != j
        ]
        return sum(values) / len(values)

    across = [kernel(x, y) for x in first for y in second]
    expected = within(first) + within(second) - 2.0 * sum(across) / len(across)
    assert kernel_distance(first, second) == pytest.approx(expected, rel=1e-12)


def test_kernel_distance_is_unbiased_and_frechet_is_not(random):
    pairs = random.normal(size=[400, 2, 12, 4])
    kernel = [kernel_distance(*pair) for pair in pairs]
    error = np.std(kernel) / np.sqrt(len(kernel))
    assert abs(np.mean(kernel)) < 3.0 * error
    # Counting the diagonal too would add 2 E[k(x, x) - k(x, y)] / 12.
    assert 3.0 * error < 0.3
    frechet = [frechet_distance(*pair) for pair in pairs[:50]]
    assert np.min(frechet) > 0.1


def test_subsets_are_drawn_without_repeats(monkeypatch):
    seen = []

    def distance(first, second):
        seen.append((first[:, 0], second[:, 0]))
        return len(seen)

    monkeypatch.setattr(distances, "kernel_distance", distance)
    features = np.arange(30.0)[:, None]
    values = kernel_distances(features, 100.0 + features, seed=1)
    np.testing.assert_array_equal(values, np.arange(1, 101))
    assert all(len(set(side)) == 15 for pair in seen for side in pair)
    assert len({tuple(first) for first, _ in seen}) == 100
    assert subset_size(5000) == 1000


def test_report_sets_the_generator_beside_real_pictures(random):
    generated, held_out, real = random.normal(size=[3, 60, 8])
    report = distribution_report(
        {"feature_network": "none", "features": "", "note": "worth nothing"},
        generated + 1.0,
        held_out,
        real,
        0,
    )
    assert report.warnings == []
    generator, floor = report.distances["generator"], report.distances["real"]
    assert generator.fid == frechet_distance(generated + 1.0, real)
    assert floor.fid == frechet_distance(held_out, real)
    assert generator.fid > 5.0 * floor.fid
    assert abs(floor.kid) < floor.kid_std < generator.kid
    stored = json.loads(report.to_json())
    assert stored["settings"]["pictures"] == 60
    assert stored["settings"]["feature_size"] == 8
    assert stored["settings"]["kid_subset_size"] == 30
    lines = report.table().splitlines()
    assert "FID/none" in lines[0] and "KID/none x 1000" in lines[0]
    assert lines[1].startswith("generator") and f"{generator.fid:.3f}" in lines[1]
    assert lines[2].startswith("real") and f"{floor.fid:.3f}" in lines[2]
    assert lines[-1] == "these numbers are worth nothing"


def test_report_warns_of_too_few_pictures(random):
    few = random.normal(size=[3, 8, 8])
    report = distribution_report(
        {"feature_network": "", "features": "", "note": ""}, *few, 0
    )
    assert "8 pictures in 8 dimensions" in report.warnings[0]
    assert report.table().splitlines()[-1].startswith("warning: FID of 8")
