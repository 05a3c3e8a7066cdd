"""The generators that come with the package."""

import subprocess
import sys

import gin
import pytest

from tf_unsup3d.evaluation.alarms.measure import measure_alarms, raised_alarms
from tf_unsup3d.trained import published, runs

NAMES = published.pretrained_names()


def read_card(name):
    return published.read_card(published.find_run(f"pretrained:{name}"))


def test_heads_and_faces_are_there():
    assert {"heads64", "faces64"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_they_raise_no_alarm(name):
    runs.read_config(f"pretrained:{name}")
    try:
        trainer = runs.load_trainer(f"pretrained:{name}")
        scene = runs.sample_scene(trainer.average, list(range(8)))
        values = measure_alarms(scene, trainer.renderer)
    finally:
        gin.clear_config()
    assert raised_alarms(values) == []
    assert int(trainer.step.numpy()) == read_card(name)["step"] > 0


@pytest.mark.parametrize("name", NAMES)
def test_they_are_small(name):
    files = published.find_run(f"pretrained:{name}").iterdir()
    assert sum(path.stat().st_size for path in files) < 10e6


def test_heads_have_better_depth_than_the_average():
    scores = read_card("heads64")["scores"]["shape"]["scores"]
    for measure in ("side", "mad"):
        of = {name: score["errors"][measure] for name, score in scores.items()}
        assert of["supervised"] < of["generator"] < of["average"]


@pytest.mark.parametrize("name", NAMES)
def test_programs_know_them(name, tmp_path):
    command = [
        sys.executable,
        "-m",
        "tf_unsup3d.programs.sample",
        f"--output={tmp_path}",
    ]
    command += [f"--output={tmp_path}", f"--model_dir=pretrained:{name}", "--seeds=0"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "mesh_0000.glb").is_file()
