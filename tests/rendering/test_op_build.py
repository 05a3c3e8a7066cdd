"""Building, finding and loading the compiled op."""

import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import tensorflow as tf
from tensorflow.python.framework import kernels

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
    monkeypatch.setenv("NVCC", "")
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(RuntimeError, match="no compiler no-such-compiler.* CXX"):
        _build_module().build(tmp_path)
    monkeypatch.setenv("CXX", "false")
    with pytest.raises(RuntimeError, match="false .*failed"):
        _build_module().build(tmp_path)
    # What is there is kept, and no scratch files stay behind.
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_nvcc_is_optional(monkeypatch):
    builder = _build_module()
    monkeypatch.setenv("NVCC", "")
    assert builder.find_nvcc() is None
    monkeypatch.setenv("NVCC", "my-nvcc -ccbin g++-12")
    assert builder.find_nvcc() == ["my-nvcc", "-ccbin", "g++-12"]
    monkeypatch.delenv("NVCC")
    monkeypatch.setattr(builder.shutil, "which", lambda name: None)
    assert builder.find_nvcc() is None


def test_missing_nvcc_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setenv("NVCC", "no-such-nvcc")
    with pytest.raises(RuntimeError, match="no compiler no-such-nvcc.* NVCC"):
        _build_module().build(tmp_path)
    monkeypatch.delenv("NVCC")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(RuntimeError, match="no nvcc for --cuda=on"):
        _build_module().build(tmp_path, cuda="on")


def test_cuda_is_built_where_it_is_of_use(monkeypatch):
    builder = _build_module()
    monkeypatch.delenv("NVCC", raising=False)
    monkeypatch.setattr(builder.shutil, "which", lambda name: f"/bin/{name}")
    for gpu, chosen in ((False, None), (True, ["/bin/nvcc"])):
        monkeypatch.setattr(builder, "has_gpu", lambda gpu=gpu: gpu)
        assert builder.choose_nvcc("auto") == chosen
        assert builder.choose_nvcc("off") is None
        assert builder.choose_nvcc("on") == ["/bin/nvcc"]
    monkeypatch.setenv("NVCC", "my-nvcc")
    monkeypatch.setattr(builder, "has_gpu", lambda: False)
    assert builder.choose_nvcc("auto") == ["my-nvcc"]


def test_a_library_without_the_cuda_kernels_asked_for_is_not_up_to_date(tmp_path):
    builder = _build_module()
    path = tmp_path / "rasterizer.so"
    path.write_bytes(b"...")
    assert builder.built_architectures(path) == ()
    assert builder._is_up_to_date(path, (), only_these=True)
    assert not builder._is_up_to_date(path, ("90",), only_these=False)
    path.write_bytes(b"..." + builder._ARCHITECTURES_MARK.encode() + b"75 90\0...")
    assert builder.built_architectures(path) == ("75", "90")
    assert builder._is_up_to_date(path, ("90",), only_these=False)
    assert builder._is_up_to_date(path, (), only_these=False)
    assert not builder._is_up_to_date(path, (), only_these=True)


def _needs_nothing_of_cuda(path):
    """It loads without a GPU, and takes nothing of CUDA from TensorFlow."""
    command = ["nm", "--dynamic", "--undefined-only", path]
    symbols = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "tensorflow" in symbols
    names = [line.split()[-1] for line in symbols.splitlines()]
    assert not [name for name in names if re.match(r"_*cu(da)?[A-Z]", name)]


def _types(kernel):
    (constraint,) = kernel.constraint
    return map(tf.as_dtype, constraint.allowed_values.list.type)


OPS = (
    "RenderMesh",
    "RenderMeshGrad",
    "RasterizeMesh",
    "RasterizeMeshGrad",
    "TransformPoints",
)


def test_library_holds_the_kernels():
    library.load_library()
    for name in OPS:
        registered = kernels.get_registered_kernels_for_op(f"TfUnsup3d>{name}").kernel
        found = {(kernel.device_type, *_types(kernel)) for kernel in registered}
        assert {("CPU", tf.float32), ("CPU", tf.float64)} <= found


LIST_KERNELS = """
import json, sys
import tensorflow as tf
from tensorflow.python.framework import kernels

tf.load_op_library(sys.argv[1])
found = []
for name in sys.argv[2:]:
    for kernel in kernels.get_registered_kernels_for_op(f"TfUnsup3d>{name}").kernel:
        (constraint,) = kernel.constraint
        (dtype,) = constraint.allowed_values.list.type
        found.append([name, kernel.device_type, dtype, list(kernel.host_memory_arg)])
print(json.dumps(found))
"""


@pytest.mark.skipif(_build_module().find_nvcc() is None, reason="needs nvcc")
def test_cuda_kernels_compile_and_load_without_a_gpu(tmp_path):
    """For one architecture: each takes minutes of a processor core."""
    path = _build_module().build(tmp_path, cuda="on", cuda_architectures=["90"])
    assert _build_module().built_architectures(path) == ("90",)
    assert b"sm_90" in path.read_bytes()
    _needs_nothing_of_cuda(path)
    result = subprocess.run(
        [sys.executable, "-c", LIST_KERNELS, path, *OPS],
        check=True,
        capture_output=True,
        text=True,
    )
    found = {
        (name, device, dtype): host
        for name, device, dtype, host in json.loads(result.stdout.splitlines()[-1])
    }
    types = (tf.float32.as_datatype_enum, tf.float64.as_datatype_enum)
    assert set(found) == {
        (name, device, dtype)
        for name in OPS
        for device in ("CPU", "GPU")
        for dtype in types
    }
    for (name, device, _), host in found.items():
        sizes_on_host = device == "GPU" and name == "RasterizeMesh"
        assert host == (["height", "width"] if sizes_on_host else [])


@pytest.mark.parametrize("name", ["fuzz_test", "geometry_test", "picture_test"])
def test_headers_without_tensorflow(name, tmp_path):
    """Compiles and runs a C++ test of the headers, with sanitizers if they link."""
    compiler = os.environ.get("CXX", "g++").split()
    program = tmp_path / name
    command = [*compiler, "-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror"]
    command += ["-ffp-contract=off", f"-I{SOURCES / 'cc'}"]
    command += [str(SOURCES / "cc" / "tests" / f"{name}.cc")]
    command += ["-o", str(program)]
    sanitizers = ["-fsanitize=address,undefined,float-cast-overflow"]
    sanitizers += ["-fno-sanitize-recover=all"]
    if subprocess.run(command + sanitizers, capture_output=True).returncode != 0:
        subprocess.run(command, check=True)
    # Whatever is preloaded into this process may not get along with the sanitizers.
    environment = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    result = subprocess.run([program], capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
