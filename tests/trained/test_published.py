"""Generators passed on as small folders."""

import json
import subprocess
import sys

import gin
import numpy as np
import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.programs import configs
from tf_unsup3d.trained import published, runs
from tf_unsup3d.training.trainer import Trainer


def program(name, *arguments):
    return subprocess.run(
        [sys.executable, "-m", f"tf_unsup3d.programs.{name}", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def run(small_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    text = small_model + "Trainer.seed = 7\n"
    (folder / "small.gin").write_text(text)
    configs.read_configs([str(folder / "small.gin")])
    try:
        trainer = Trainer(folder)
        trainer.step.assign(30)
        trainer.checkpoints.save(checkpoint_number=30)
        runs.write_config(folder)
        yield trainer
    finally:
        gin.clear_config()


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    output = tmp_path_factory.mktemp("published")
    scores = output / "shape.json"
    scores.write_text('{"settings": {"truth_dir": "/x", "seed": 3}, "side": 0.5}')
    result = program(
        "publish",
        f"--model_dir={run.model_dir}",
        f"--output={output}",
        f"--scores={scores}",
    )
    assert result.returncode == 0, result.stderr
    return output


def test_card_says_what_was_trained(folder):
    card = json.loads((folder / "card.json").read_text())
    assert card == {
        "step": 30,
        "pictures": 120,
        "seed": 7,
        "resolution": 16,
        "scores": {"shape": {"settings": {"seed": 3}, "side": 0.5}},
    }


def test_published_generator_makes_the_same_but_for_rounding(run, folder):
    generator, step = runs.load_generator(folder)
    assert step == 30
    latents = np.random.default_rng(0).normal(size=[4, 8]).astype(np.float32)
    for name, published_map, trained_map in zip(
        ("vertices", "texture", "background"),
        generator(latents),
        run.average(latents),
        strict=True,
    ):
        np.testing.assert_allclose(published_map, trained_map, atol=5e-3, err_msg=name)
        assert np.abs(published_map - trained_map).max() > 0.0
    assert int(runs.load_trainer(folder).step.numpy()) == 30


def test_programs_take_the_folder(folder, tmp_path):
    result = program(
        "sample", f"--model_dir={folder}", f"--output={tmp_path}", "--seeds=0"
    )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "mesh_0000.glb").is_file()


def test_training_leaves_it_alone(folder, tmp_path):
    before = sorted(folder.iterdir())
    result = program(
        "train",
        f"--gin_configs={folder / 'config.gin'}",
        f"--data_dir={tmp_path}",
        f"--model_dir={folder}",
    )
    assert result.returncode == 1
    assert result.stderr.strip().endswith("is published, and not trained further")
    assert sorted(folder.iterdir()) == before


def test_bad_files_are_named(run, folder, tmp_path):
    with pytest.raises(UserError, match="no pretrained 'horses'; there are: "):
        published.find_run("pretrained:horses")
    broken = tmp_path / "generator.npz"
    broken.write_bytes(b"no weights")
    with pytest.raises(UserError, match="generator.npz holds no weights"):
        published.read_weights(run.average, broken)
    np.savez(broken, **{"000": np.zeros([2], np.float16)})
    with pytest.raises(UserError, match="does not fit the config.gin"):
        published.read_weights(run.average, broken)
    with pytest.raises(UserError, match="card.json does not say"):
        published.read_card(tmp_path)
    result = program(
        "publish",
        f"--model_dir={run.model_dir}",
        f"--output={tmp_path / 'out'}",
        f"--scores={broken}",
    )
    assert result.returncode == 1 and "is no JSON file" in result.stderr


def test_weights_beyond_half_precision_are_refused(run, tmp_path):
    variable = run.generator.variables[0]
    before = variable.numpy()
    variable.assign(np.full_like(before, 1e6))
    try:
        with pytest.raises(UserError, match="beyond half precision"):
            published.write_weights(run.generator, tmp_path / "generator.npz")
        assert not (tmp_path / "generator.npz").exists()
    finally:
        variable.assign(before)
