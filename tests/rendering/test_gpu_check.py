"""The check of the CUDA kernels, on an emulated GPU, and that it can fail."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
import tensorflow as tf

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _make(*arguments):
    # A make that runs the tests must not pass its own flags on.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAKE", "MFLAGS"))
    }
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, capture_output=True, text=True, env=environment
    )


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """The folder of a small check that has run, and what it has printed."""
    folder = tmp_path_factory.mktemp("gpu_check")
    result = _make(
        *("gpu-check", "EMULATE=1", "SMALL=1"),
        *(f"FOLDER={folder}", f"NVDIFFRAST={folder}/nvdiffrast"),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return folder, result.stdout


def test_emulated_gpu_passes(checked):
    folder, printed = checked
    result = json.loads((folder / "gpu_check.json").read_text())
    assert result["passed"] and result["device"]["emulated"]
    names = [case["name"] for case in result["cases"]]
    for kind in ("spheres", "soup", "invalid inputs", "points"):
        for dtype in ("float32", "float64"):
            assert any(name.startswith(kind) and dtype in name for name in names)
    assert all(case["same"] for case in result["cases"])
    assert f"passed: 0 of {len(names)} cases differ" in printed


def test_missing_nvdiffrast_is_one_line(checked):
    folder, printed = checked
    (line,) = re.findall("^nvdiffrast.*$", printed, re.MULTILINE)
    assert line.startswith("nvdiffrast: not timed: ")
    assert json.loads((folder / "gpu_check.json").read_text())["nvdiffrast"]


@pytest.mark.parametrize(
    "name",
    ["picture", "triangle ids", "gradient by vertices", "repeated picture", "list"],
)
def test_a_wrong_result_is_found(name, checked, tmp_path):
    folder, _ = checked
    output = tmp_path / "result.json"
    command = [folder / "gpu_check", "--small", f"--perturb={name}"]
    result = subprocess.run(
        [*command, f"--output={output}"], capture_output=True, text=True
    )
    assert result.returncode == 1
    assert "FAILED" in result.stdout
    written = json.loads(output.read_text())
    assert not written["passed"]
    different = [case for case in written["cases"] if not case["same"]]
    assert different
    for case in different:
        assert all(found.startswith(f"{name}: ") for found in case["differences"])


def test_perturbing_nothing_is_an_error(checked):
    folder, _ = checked
    command = [folder / "gpu_check", "--small", "--perturb=pictures"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr == "error: nothing is called pictures\n"


def test_missing_nvcc_is_one_clear_line(tmp_path):
    result = _make("gpu-check", "NVCC=no-such-nvcc", f"FOLDER={tmp_path}")
    assert result.returncode != 0
    errors = [line for line in result.stderr.splitlines() if "make" not in line]
    assert len(errors) == 1 and errors[0].startswith("error: nvcc is missing")


@pytest.mark.skipif(
    bool(tf.config.list_physical_devices("GPU")), reason="needs no GPU to be there"
)
def test_check_through_tensorflow_needs_a_gpu():
    result = _make("gpu-check-tf", f"PYTHON={sys.executable}")
    assert result.returncode != 0
    errors = [line for line in result.stderr.splitlines() if "make:" not in line]
    assert len(errors) == 1 and "no TensorFlow that sees a GPU" in errors[0]
