"""The distance that training measures with each sheet."""

import pytest
import tensorflow as tf

from tf_unsup3d.data.dataset import open_pictures
from tf_unsup3d.evaluation.distribution.repeated import RepeatedKernelDistance
from tf_unsup3d.evaluation.distribution.uint8_batches import uint8_batches
from tf_unsup3d.trained.trained_model import load


@pytest.fixture(scope="module")
def distance(head_set):
    pictures = open_pictures(str(head_set / "validation"), 16)
    return RepeatedKernelDistance(pictures, mirror=False)


def test_failures_of_the_network_are_not_those_of_the_pictures(head_set):
    pictures = open_pictures(str(head_set / "validation"), 16)
    exhausted = tf.errors.ResourceExhaustedError(None, None, "no memory")
    with pytest.raises(tf.errors.ResourceExhaustedError):
        for _ in uint8_batches(pictures, pictures.batches(2, seed=0, repeat=False)):
            raise exhausted


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
