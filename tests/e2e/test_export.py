"""`unsup3d-export` of the shipped generators, and TensorFlow's own tool."""

import subprocess
import sys

import pytest

from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.trained_model import load


def run(*arguments):
    result = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return result


@pytest.mark.parametrize("name", model_folder.pretrained_names())
def test_stock_tensorflow_serves_them(name, check_portable, tmp_path):
    exported = run(
        "tf_unsup3d.programs.export",
        f"--model_dir=pretrained:{name}",
        f"--output={tmp_path / name}",
    )
    folder = tmp_path / name / "1"
    assert exported.stdout == f"SavedModel in {folder}\n"
    assert exported.stderr == ""
    check_portable(load(f"pretrained:{name}"), folder)

    tool = "tensorflow.python.tools.saved_model_cli"
    shown = run(tool, "show", "--dir", folder, "--all").stdout
    for signature in ("generate", "map", "synthesize", "render", "render_mesh"):
        assert f"signature_def['{signature}']" in shown
    ran = run(
        tool,
        *("run", "--dir", folder, "--tag_set", "serve", "--signature_def", "generate"),
        "--input_exprs=seed=np.int64([3]);truncation_psi=np.float32([0.7])",
        f"--outdir={tmp_path}",
    )
    assert (tmp_path / "vertices.npy").is_file(), ran.stderr
