"""Training as a user runs it: repeats, resumes, and refuses what it cannot use."""

import json
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from tf_unsup3d.evaluation.alarms.measure import ALARMS

BINDINGS = """
Trainer.log_interval = 5
Trainer.checkpoint_interval = 10
Trainer.sheet_interval = 1000
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for index in range(20):
        pixels = random.integers(0, 255, [16, 16, 3], np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def config(small_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "small.gin"
    path.write_text(small_model + BINDINGS)
    return path


def command(config, data, model_dir, *bindings):
    arguments = [
        sys.executable,
        "-m",
        "tf_unsup3d.programs.train",
        f"--gin_configs={config}",
    ]
    arguments += [
        f"--gin_configs={config}",
        f"--data_dir={data}",
        f"--model_dir={model_dir}",
    ]
    return arguments + [f"--gin_bindings={binding}" for binding in bindings]


def train(*arguments):
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=300
    )


def records(model_dir):
    text = (pathlib.Path(model_dir) / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def whole_run(config, pictures, tmp_path_factory):
    model_dir = tmp_path_factory.mktemp("runs") / "whole"
    result = train(config, pictures, model_dir, "Trainer.steps = 200")
    assert result.returncode == 0, result.stderr
    return model_dir


def test_leaves_what_is_promised(whole_run):
    found = {path.name for path in whole_run.iterdir()}
    promised = {"checkpoints", "config.gin", "metrics.jsonl", "sheet.png", "depth.png"}
    assert promised <= found
    assert any((whole_run / "events").iterdir())
    assert [record["step"] for record in records(whole_run)] == list(range(5, 201, 5))
    assert max(record["extent"] for record in records(whole_run)) < 2.5
    assert {f"alarm/{alarm.name}" for alarm in ALARMS} <= set(records(whole_run)[-1])


def test_same_seed_gives_the_same_metrics(whole_run, config, pictures, tmp_path):
    result = train(config, pictures, tmp_path / "again", "Trainer.steps = 200")
    assert result.returncode == 0, result.stderr
    again = (tmp_path / "again" / "metrics.jsonl").read_bytes()
    assert again == (whole_run / "metrics.jsonl").read_bytes()


def test_killed_run_continues(config, pictures, tmp_path):
    import tensorflow as tf

    folder = tmp_path / "killed" / "checkpoints"
    arguments = command(config, pictures, folder.parent, "Trainer.steps = 100000")
    with subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            limit = time.monotonic() + 300.0
            while not tf.train.latest_checkpoint(str(folder)):
                assert process.poll() is None and time.monotonic() < limit
                time.sleep(0.1)
        finally:
            process.kill()
    newest = tf.train.latest_checkpoint(str(folder))
    step = int(newest.rsplit("-", 1)[1])
    kept = tf.train.load_checkpoint(newest)
    names = list(kept.get_variable_to_shape_map())
    for part in ("average/", "generator_optimizer/", "discriminator_optimizer/"):
        assert sum(part in name for name in names) > 10, part

    result = train(config, pictures, folder.parent, f"Trainer.steps = {step + 5}")
    assert result.returncode == 0, result.stderr
    assert f"from step {step}" in result.stdout
    steps = [record["step"] for record in records(folder.parent)]
    assert steps == list(range(5, step + 6, 5))
    after = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(folder)))
    # Adam counts its steps; the moving average moved on from where it was, a little.
    counts = [
        (int(kept.get_tensor(name)), int(after.get_tensor(name)))
        for name in names
        if name.startswith("generator_optimizer/") and not kept_shape(kept, name)
    ]
    assert (step, step + 5) in counts
    moved = [
        np.abs(kept.get_tensor(name) - after.get_tensor(name)).max()
        for name in names
        if name.startswith("average/")
    ]
    assert 0.0 < max(moved) < 0.5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_run_loses_nothing(config, pictures, tmp_path, number):
    bindings = ["Trainer.steps = 100000", "Trainer.checkpoint_interval = 100000"]
    arguments = command(config, pictures, tmp_path, *bindings)
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        try:
            limit = time.monotonic() + 300.0
            while not (tmp_path / "config.gin").exists():
                assert process.poll() is None and time.monotonic() < limit
                time.sleep(0.1)
            process.send_signal(number)
            output = process.communicate(timeout=300)[0]
        finally:
            process.kill()
    assert process.returncode == 130
    (found,) = (tmp_path / "checkpoints").glob("*.index")
    step = records(tmp_path)[-1]["step"]
    assert found.name == f"ckpt-{step}.index"
    assert f"left at step {step};" in output


def kept_shape(checkpoint, name):
    return checkpoint.get_variable_to_shape_map()[name]


def test_samples_of_a_run(whole_run, tmp_path):
    arguments = [
        sys.executable,
        "-m",
        "tf_unsup3d.programs.sample",
        f"--output={tmp_path}",
    ]
    arguments += [
        f"--output={tmp_path}",
        f"--model_dir={whole_run}",
        "--seeds=3,5",
        "--yaw=20",
    ]
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=200)
    assert result.returncode == 0, result.stderr
    found = {path.name for path in tmp_path.iterdir()}
    assert found >= {"sheet.png", "depth.png", "picture_0003.png", "mesh_0005.glb"}
    assert "mesh_0005.obj" in found


@pytest.mark.parametrize(
    "binding, word",
    [
        ("Trainer.no_such_thing = 1", "no_such_thing"),
        ("Trainer.resolution = 24", "resolution"),
        ("Trainer.batch_size = 64", "20"),
    ],
)
def test_bad_parameters_end_in_one_line(config, pictures, tmp_path, binding, word):
    result = train(config, pictures, tmp_path / "run", binding)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    (line,) = [row for row in result.stderr.splitlines() if row.startswith("error:")]
    assert word in line


def test_bad_folders_end_in_one_line(config, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    cases = {
        tmp_path / "missing": tmp_path / "run",
        tmp_path / "empty": tmp_path / "run",
        tmp_path: tmp_path / "file" / "run",
    }
    for data, model_dir in cases.items():
        result = train(config, data, model_dir)
        assert result.returncode != 0
        assert "Traceback" not in result.stderr
        (line,) = [
            row for row in result.stderr.splitlines() if row.startswith("error:")
        ]
        assert str(data) in line or str(model_dir) in line


def test_pictures_grow_and_a_run_resumes_while_they_fade(config, pictures, tmp_path):
    growth = [
        "Trainer.start_resolution = 8",
        "Trainer.stage_pictures = 40",
        "Trainer.fade_pictures = 40",
    ]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder, steps in ((whole, 30), (parts, 15), (parts, 30)):
        result = train(config, pictures, folder, *growth, f"Trainer.steps = {steps}")
        assert result.returncode == 0, result.stderr
    # Where a run ends it is also measured.
    assert records(whole)[:2] == records(parts)[:2]
    assert [record["step"] for record in records(parts)] == [5, 10, 15, 20, 25, 30]
    assert all(np.isfinite(list(record.values())).all() for record in records(parts))


def test_resolutions_that_do_not_double_are_refused(config, pictures, tmp_path):
    result = train(config, pictures, tmp_path / "run", "Trainer.start_resolution = 12")
    assert result.returncode == 1
    assert "Trainer.start_resolution 12 is not 16 halved" in result.stderr
