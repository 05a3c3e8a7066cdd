"""Building, finding and loading the compiled op."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf

from tf_unsup3d.errors import UserError
from tf_unsup3d.rendering import library

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "custom_ops" / "rasterizer"


def _build_module():
    spec = importlib.util.spec_from_file_location("build", SOURCES / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_missing_library_says_what_to_run(tmp_path):
    with pytest.raises(UserError, match="not built.*make op.*pip install") as caught:
        library.find_library(tmp_path)
    assert isinstance(caught.value, ImportError)
    assert "\n" not in str(caught.value)


def test_library_for_another_tensorflow_is_refused(tmp_path):
    (tmp_path / "rasterizer_tf1.99.0.so").touch()
    message = f"built for TensorFlow 1.99.0, but {tf.__version__} is.*make op"
    with pytest.raises(library.RasterizerLibraryError, match=message):
        library.find_library(tmp_path)
    (tmp_path / f"rasterizer_tf{tf.__version__}.so").touch()
    assert library.find_library(tmp_path).name.endswith(f"{tf.__version__}.so")


def test_broken_library_is_one_clear_line(tmp_path):
    (tmp_path / f"rasterizer_tf{tf.__version__}.so").write_text("no library")
    program = (
        "import pathlib, sys\n"
        "from tf_unsup3d.rendering import library\n"
        "library.find_library.__defaults__ = (pathlib.Path(sys.argv[1]),)\n"
        "try:\n"
        "    library.load_library()\n"
        "except library.RasterizerLibraryError as error:\n"
        "    print(error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True
    )
    assert result.stdout.count("\n") == 1
    assert "does not load" in result.stdout and "make op" in result.stdout


def test_up_to_date_library_is_kept(tmp_path):
    path = tmp_path / f"rasterizer_tf{tf.__version__}.so"
    path.write_text("newer than its sources")
    assert _build_module().build(tmp_path) == path
    assert path.read_text() == "newer than its sources"


def test_stale_library_is_rebuilt_and_a_failure_explained(tmp_path, monkeypatch):
    path = tmp_path / f"rasterizer_tf{tf.__version__}.so"
    path.write_text("older than its sources")
    os.utime(path, (0, 0))
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(RuntimeError, match="no C\\+\\+ compiler no-such-compiler"):
        _build_module().build(tmp_path)
    monkeypatch.setenv("CXX", "false")
    with pytest.raises(RuntimeError, match="false .*failed"):
        _build_module().build(tmp_path)
    # What is there is kept, and no scratch files stay behind.
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["geometry_test", "picture_test"])
def test_headers_without_tensorflow(name, tmp_path):
    """Compiles and runs a C++ test of the headers, with sanitizers if they link."""
    compiler = os.environ.get("CXX", "g++").split()
    program = tmp_path / name
    command = [*compiler, "-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror"]
    command += ["-ffp-contract=off", str(SOURCES / "cc" / f"{name}.cc")]
    command += ["-o", str(program)]
    sanitizers = ["-fsanitize=address,undefined,float-cast-overflow"]
    sanitizers += ["-fno-sanitize-recover=all"]
    if subprocess.run(command + sanitizers, capture_output=True).returncode != 0:
        subprocess.run(command, check=True)
    # Whatever is preloaded into this process may not get along with the sanitizers.
    environment = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    result = subprocess.run([program], capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
