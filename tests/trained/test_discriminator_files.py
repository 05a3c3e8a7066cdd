"""Discriminators go along with published generators."""

import shutil

import numpy as np
import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.discriminator_files import (
    load_discriminator,
    write_discriminator,
)
from tf_unsup3d.trained.trained_model import load


def test_a_run_and_its_checkpoints_have_one(small_run, tmp_path):
    discriminator = load_discriminator(small_run)
    checkpoint = next((small_run / "checkpoints").glob("*.npz"))
    content = np.load(checkpoint)
    for source in (discriminator, load_discriminator(checkpoint)):
        for index, weight in enumerate(source.get_weights()):
            np.testing.assert_array_equal(weight, content[f"discriminator/{index:04d}"])
    run = shutil.copytree(small_run, tmp_path / "run")
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(UserError, match=r"no checkpoint in .*checkpoints"):
        load_discriminator(run)


def test_publishing_passes_it_on(small_run, tmp_path, run_in_process):
    output = tmp_path / "passed on"
    run_in_process("publish", f"--model_dir={small_run}", f"--output={output}")
    again = tmp_path / "and again"
    run_in_process("publish", f"--model_dir={output}", f"--output={again}")
    expected = load_discriminator(small_run).get_weights()
    for folder in (output, again):
        found = load_discriminator(folder).get_weights()
        for one, other in zip(found, expected, strict=True):
            # They are written in half precision.
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6)


def test_nothing_of_another_generator_is_left(small_run, tmp_path, run_in_process):
    model, bare, output = load(small_run), tmp_path / "bare", tmp_path / "output"
    model_folder.publish(bare, model.generator, model.configuration, model.card)
    for source in (small_run, bare):
        run_in_process("publish", f"--model_dir={source}", f"--output={output}")
    assert load_discriminator(output) is None


def test_a_run_is_not_published_over(small_run, tmp_path, run_in_process):
    run = shutil.copytree(small_run, tmp_path / "run")
    before = sorted(run.rglob("*"))
    with pytest.raises(UserError, match="--output: .*run is the folder of a run"):
        run_in_process("publish", f"--model_dir={small_run}", f"--output={run}")
    assert sorted(run.rglob("*")) == before


def test_a_published_generator_may_have_none(small_run, tmp_path):
    model = load(small_run)
    model_folder.publish(tmp_path, model.generator, model.configuration, model.card)
    assert load_discriminator(tmp_path) is None
    write_discriminator(tmp_path, load_discriminator(small_run))
    assert load_discriminator(tmp_path) is not None
    path = tmp_path / "discriminator.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"discriminator\.npz is damaged"):
        load_discriminator(tmp_path)
