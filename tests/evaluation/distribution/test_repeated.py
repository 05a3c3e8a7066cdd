"""The distance that training measures with each sheet."""

import pytest

from tf_unsup3d.data.dataset import open_pictures
from tf_unsup3d.evaluation.distribution.repeated import RepeatedKernelDistance
from tf_unsup3d.trained.trained_model import load


@pytest.fixture(scope="module")
def distance(head_set):
    pictures = open_pictures(str(head_set / "validation"), 16)
    return RepeatedKernelDistance(pictures, mirror=False)


def test_a_measurement_can_be_given_up(distance, small_run):
    model, asked = load(small_run), []

    def stopped():
        asked.append(True)
        return len(asked) == 3

    assert distance.measure(model, stopped) is None
    assert len(asked) == 3


def test_measurements_can_be_compared(distance, small_run):
    model = load(small_run)
    assert distance.measure(model) == distance.measure(model) > 0.0
