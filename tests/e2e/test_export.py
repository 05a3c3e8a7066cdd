"""`unsup3d-export` of the shipped generators, and TensorFlow's own tool."""

import pathlib
import re
import subprocess
import sys

import pytest

from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.trained_model import load

DOCUMENTATION = pathlib.Path(__file__).resolve().parents[2] / "docs" / "serving.md"


def run(*arguments, **options):
    result = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        **options,
    )
    assert result.returncode == 0, result.stderr
    return result


def export(folder, name):
    exported = run(
        *("-m", "tf_unsup3d.programs.export"),
        f"--model_dir=pretrained:{name}",
        f"--output={folder / name}",
    )
    assert exported.stdout == f"SavedModel in {folder / name / '1'}\n"
    assert exported.stderr == ""
    return folder / name / "1"


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return export(tmp_path_factory.mktemp("served") / "models", "faces64")


@pytest.mark.parametrize("name", model_folder.pretrained_names())
def test_stock_tensorflow_makes_the_same(name, faces, check_portable, tmp_path):
    folder = faces if name == "faces64" else export(tmp_path, name)
    check_portable(load(f"pretrained:{name}"), folder)


def test_the_example_of_the_documentation(faces, tmp_path):
    """In a process that does not find this package in the folder that it runs in."""
    example = re.findall(r"```python\n(.*?)```", DOCUMENTATION.read_text(), re.S)[0]
    folder = faces.parents[2]
    run("-I", "-c", example + "\nprint(drawn['picture'].shape)", cwd=folder)
    assert {path.name for path in folder.glob("*.png")} == {"face_0.png", "face_1.png"}


def test_the_tool_of_tensorflow_shows_and_runs_it(faces, tmp_path):
    tool = ("-m", "tensorflow.python.tools.saved_model_cli")
    shown = run(*tool, "show", "--dir", faces, "--all").stdout
    for signature in ("generate", "map", "synthesize", "render", "render_mesh"):
        assert f"signature_def['{signature}']" in shown
    run(
        *(*tool, "run", "--dir", faces),
        *("--tag_set", "serve", "--signature_def", "generate"),
        *("--input_exprs", "seed=[3];truncation_psi=[0.7]"),
        *("--outdir", tmp_path),
    )
    assert (tmp_path / "vertices.npy").is_file()
