"""`unsup3d-publish` as a user runs it."""

import json
import shutil

import numpy as np
import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.trained import checkpoints


def test_scores_are_on_the_card(run_in_process, small_run, tmp_path):
    shape = {"settings": {"step": 1, "truth_dir": "/home/me"}, "scores": {"side": 2.5}}
    alarms = {"settings": {"step": 1}, "alarms": {"flat": 0.5}}
    for name, content in (("shape", shape), ("alarms", alarms)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    output = tmp_path / "published"
    run_in_process(
        "publish",
        f"--model_dir={small_run}",
        f"--output={output}",
        *(f"--scores={tmp_path / name}.json" for name in ("shape", "alarms")),
    )
    del shape["settings"]["truth_dir"]
    card = json.loads((output / "card.json").read_text())
    assert card["scores"] == {"shape": shape, "alarms": alarms}


def test_an_encoder_of_no_use_is_left_out(run_in_process, small_run, tmp_path, caplog):
    run, output = shutil.copytree(small_run, tmp_path / "run"), tmp_path / "published"
    (run / "encoder.json").write_text("{}")
    (run / "encoder.npz").write_bytes(b"of another generator")
    run_in_process("publish", f"--model_dir={run}", f"--output={output}")
    assert "the encoder is left out: " in caplog.text
    assert (output / "generator.npz").exists()
    assert not (output / "encoder.json").exists()


def test_what_cannot_be_published_leaves_what_was(run_in_process, small_run, tmp_path):
    run, output = shutil.copytree(small_run, tmp_path / "run"), tmp_path / "published"
    run_in_process("publish", f"--model_dir={run}", f"--output={output}")
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    assert "discriminator.npz" in before
    path = run / "checkpoints" / "ckpt-1.npz"
    with np.load(path) as file:
        arrays = dict(file)
    del arrays["sha256"]
    name = next(name for name in arrays if name.startswith("discriminator/"))
    arrays[name] = np.full_like(arrays[name], 1e6)
    np.savez(path, **arrays, sha256=checkpoints._checksum(arrays))
    config = run / "config.gin"
    config.write_text(config.read_text().replace("margin = 0.5", "margin = 0.7"))
    with pytest.raises(UserError, match=r"discriminator\.npz: a weight is NaN or"):
        run_in_process("publish", f"--model_dir={run}", f"--output={output}")
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before
