import subprocess
import sys

import numpy as np


def make_heads(*flags):
    return subprocess.run(
        [sys.executable, "-m", "tf_unsup3d.programs.make_heads", *flags],
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_program_makes_a_set(tmp_path):
    output = tmp_path / "heads"
    flags = ["--count=2", "--test_count=1", "--validation_count=0", "--resolution=16"]
    result = make_heads(*flags, f"--output={output}")
    assert result.returncode == 0, result.stderr
    assert f"--data_dir={output / 'train'}" in result.stdout
    assert len(list((output / "train").glob("*.png"))) == 2


def test_a_mistake_gives_one_line(tmp_path):
    result = make_heads("--resolution=48", f"--output={tmp_path}")
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if "error:" in line]
    assert lines == [
        "error: resolution must be a power of two from 16 to 512, got 48",
    ]
    assert "Traceback" not in result.stderr


def test_a_bad_head_model_gives_one_line(tmp_path):
    model = tmp_path / "model.npz"
    np.savez(model, mean=np.zeros((4, 3)))
    result = make_heads(f"--head_model={model}", f"--output={tmp_path / 'heads'}")
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if "error:" in line]
    assert lines == [f"error: {model}: basis is missing"]
    assert not (tmp_path / "heads").exists()
