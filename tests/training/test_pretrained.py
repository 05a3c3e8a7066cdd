"""The generators that come with the package."""

import subprocess
import sys

import gin

from tf_unsup3d.evaluation.alarms import measure_alarms, raised_alarms
from tf_unsup3d.training import published, runs


def test_heads_raise_no_alarm():
    assert "heads64" in published.pretrained_names()
    runs.read_config("pretrained:heads64")
    try:
        trainer = runs.load_trainer("pretrained:heads64")
        scene = runs.sample_scene(trainer.average, list(range(8)))
        values = measure_alarms(scene, trainer.renderer)
    finally:
        gin.clear_config()
    assert raised_alarms(values) == []
    card = published.read_card(published.find_run("pretrained:heads64"))
    assert int(trainer.step.numpy()) == card["step"] > 0
    scores = card["scores"]["shape"]["scores"]
    for measure in ("side", "mad"):
        of = {name: score["errors"][measure] for name, score in scores.items()}
        assert of["supervised"] < of["generator"] < of["average"]
    files = published.find_run("pretrained:heads64").iterdir()
    assert sum(path.stat().st_size for path in files) < 10e6


def test_programs_know_them(tmp_path):
    command = [sys.executable, "-m", "tf_unsup3d.sample", f"--output={tmp_path}"]
    command += ["--model_dir=pretrained:heads64", "--seeds=0"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "mesh_0000.glb").is_file()
