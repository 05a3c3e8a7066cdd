import numpy as np
import pytest

from tf_unsup3d.evaluation.identity.similarity import compare_descriptors


def test_similarity_by_hand():
    mean = np.array([10.0, 0.0, 0.0])
    first = mean + [[0.0, 3.0, 4.0], [0.0, 1.0, 0.0]]
    second = mean + [[0.0, 6.0, 8.0], [0.0, -0.5, 0.0]]
    found = compare_descriptors(first, second, mean)
    assert found.pairs == 2
    # Of the two pairs one points in the same direction, the other in the opposite one.
    assert found.ID == pytest.approx(0.0) and found.ID_std == pytest.approx(1.0)
    assert found.distance == pytest.approx((5.0 + 1.5) / 2)
    assert found.same_person == 0.0
    cosines = [
        (100.0 + 18.0 + 32.0) / (np.sqrt(125.0) * np.sqrt(200.0)),
        (100.0 - 0.5) / (np.sqrt(101.0) * np.sqrt(100.25)),
    ]
    assert found.cosine == pytest.approx(np.mean(cosines))


def test_equal_and_unrelated_descriptors():
    random = np.random.default_rng(0)
    mean = np.full(128, 0.1)
    first, second = mean + 0.0375 * random.normal(size=[2, 400, 128])
    same = compare_descriptors(first, first, mean)
    assert same.ID == pytest.approx(1.0) and same.distance == 0.0
    assert same.same_person == 1.0
    other = compare_descriptors(first, second, mean)
    # What all have in common raises the plain cosine alone.
    assert abs(other.ID) < 0.02 and other.cosine > 0.8
    assert 0.0 < other.same_person < 1.0
