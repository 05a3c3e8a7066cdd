"""The comparison of a training on two devices, with the CPU in the place of both."""

import dataclasses

import numpy as np
import pytest

from benchmarks import training
from tf_unsup3d.trained.configuration import Configuration


@pytest.fixture(scope="module")
def runs(small_bindings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    bindings = [
        *small_bindings,
        "Trainer.steps = 3",
        "Trainer.log_interval = 1",
        "Trainer.r1_interval = 1",
    ]
    configuration = Configuration.from_files([], bindings)
    pictures = training.write_pictures(
        folder / "pictures", 16, configuration.resolution
    )
    start = folder / "start"
    training.write_start(configuration, start)
    first, second = (
        training.train("/CPU:0", configuration, pictures, folder / name, start)
        for name in ("first", "second")
    )
    return first, second


def test_same_training_has_the_same_losses(runs):
    first, second = runs
    assert len(first.losses) == len(first.seconds) == 3
    assert first.losses[0] and first.seconds_per_step > 0
    differences = training.differences(second, first)
    assert len(differences) == 3
    assert training.first_difference(differences) is None


@pytest.mark.parametrize(
    "step, change, found",
    [(0, 2e-3, True), (1, 2e-3, False), (2, 0.2, True), (1, np.nan, True)],
)
def test_a_wrong_loss_is_found(step, change, found, runs):
    first, second = runs
    losses = [dict(values) for values in first.losses]
    name = min(losses[step])
    losses[step][name] += change * max(1.0, abs(losses[step][name]))
    wrong = dataclasses.replace(first, losses=losses)
    index = training.first_difference(training.differences(wrong, second))
    assert index == (step if found else None)
