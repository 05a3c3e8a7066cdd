"""The benchmark of the training step, with a tiny configuration."""

import sys

import numpy as np
import pytest

from benchmarks import stylegan2_ada_process, training_step
from benchmarks.training_step import TrainingWorkload, measure, table, time_in_turns
from tf_unsup3d.errors import UserError
from tf_unsup3d.trained.configuration import Configuration


@pytest.fixture(scope="module")
def gin_file(small_bindings, tmp_path_factory):
    path = tmp_path_factory.mktemp("gin") / "tiny.gin"
    path.write_text("\n".join(small_bindings) + "\n")
    return str(path)


@pytest.fixture(scope="module")
def measured(gin_file):
    """What a measurement found, and its workload, whose graphs are built."""
    workloads = []

    def keep(*arguments):
        workloads.append(TrainingWorkload(*arguments))
        return workloads[-1]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(training_step, "TrainingWorkload", keep)
        result = measure(gin_file, ["Trainer.r1_interval = 4"], rounds=2)
    (workload,) = workloads
    return result, workload


@pytest.fixture(scope="module")
def result(measured):
    return measured[0]


def test_parts_and_rest_are_the_step(result):
    steps, parts = result["milliseconds"]["steps"], result["milliseconds"]["parts"]
    assert min(steps.values()) > 0.0
    assert sum(parts.values()) == pytest.approx(steps["3D"])
    # These are differences, which other work on the machine can make negative.
    derived = {"rest", "shape and mesh"}
    assert all(value > 0.0 for name, value in parts.items() if name not in derived)
    with_r1 = 0.75 * steps["3D"] + 0.25 * steps["3D with R1"]
    assert result["pictures_per_second"] == pytest.approx(
        1e3 * result["batch_size"] / with_r1
    )


def test_table(result):
    other = {**result, "configuration": "other"}
    lines = table([result, other]).splitlines()
    assert "tiny, 16 x 16" in lines[0] and "other, 16 x 16" in lines[0]
    assert any(line.startswith("| 3D in 2D steps |") for line in lines)
    assert len({line.count("|") for line in lines}) == 1


def test_the_table_has_a_row_for_the_peer(result):
    peer = {"milliseconds": 800.0, "pictures_per_second": 20.04}
    assert "| pictures per second, stylegan2-ada | 20.0 |" in table(
        [{**result, "stylegan2_ada": peer}]
    )
    assert "stylegan2-ada" not in table([result])


def test_the_peer_has_the_channels_of_the_configuration(gin_file, tmp_path):
    configuration = Configuration.from_files([gin_file])
    settings = stylegan2_ada_process.equal_settings(configuration)
    assert settings.resolution == 16
    assert settings.channel_max == configuration.generator["channel_max"]
    (tmp_path / "training").mkdir()
    for name in ("loss", "networks"):
        (tmp_path / "training" / f"{name}.py").write_text("")
    # A Python without PyTorch, or a folder without the networks.
    with pytest.raises(UserError, match=f"cannot train with {tmp_path}: .*Error"):
        stylegan2_ada_process.measure(sys.executable, str(tmp_path), settings)
    with pytest.raises(UserError, match="cannot run nothing-here"):
        stylegan2_ada_process.measure("nothing-here", str(tmp_path), settings)


def test_both_kinds_of_steps_train_the_same_networks(measured):
    _, workload = measured
    state = workload.state

    def weights():
        return [
            variable.numpy()
            for model in (state.generator, state.average, state.discriminator)
            for variable in model.trainable_variables
        ]

    for name, step in workload.steps.items():
        before = weights()
        step()
        changed = [
            not np.array_equal(one, two)
            for one, two in zip(before, weights(), strict=True)
        ]
        # In 2D there are no maps of shape to train.
        assert np.mean(changed) > (0.95 if name.startswith("3D") else 0.7), name


def test_functions_take_turns():
    calls = []
    functions = {name: lambda name=name: calls.append(name) for name in "ab"}
    times = time_in_turns(functions, 3)
    assert set(times) == {"a", "b"}
    assert calls == ["a", "b"] * (len(calls) // 2)
