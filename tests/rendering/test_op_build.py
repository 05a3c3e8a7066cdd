"""Building, finding and loading the compiled op."""

import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import types
from concurrent import futures

import pytest
import tensorflow as tf

from tf_unsup3d.errors import UserError
from tf_unsup3d.rendering import op_library

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "custom_ops" / "rasterizer"
LIBRARY_NAME = f"rasterizer_tf{tf.__version__}.so"


def _load_builder():
    spec = importlib.util.spec_from_file_location("build", SOURCES / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def builder(monkeypatch):
    """The module build.py on a machine with nvcc but without a GPU."""
    module = _load_builder()
    monkeypatch.delenv("NVCC", raising=False)
    monkeypatch.setattr(module, "has_gpu", lambda: False)
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/somewhere/{name}")
    return module


@pytest.fixture
def compiled(builder, monkeypatch):
    """The architectures of each library that is built. Nothing is compiled."""
    built = []
    monkeypatch.setattr(
        builder,
        "_compile",
        lambda library, nvcc, architectures: built.append(architectures),
    )
    return built


def test_missing_library_says_what_to_run(tmp_path):
    with pytest.raises(UserError, match="not built.*make op.*pip install") as caught:
        op_library.find_library(tmp_path)
    assert isinstance(caught.value, ImportError)
    assert "\n" not in str(caught.value)


def test_library_for_another_tensorflow_is_refused(tmp_path):
    (tmp_path / "rasterizer_tf1.99.0.so").touch()
    message = f"built for TensorFlow 1.99.0, but {tf.__version__} is.*make op"
    with pytest.raises(op_library.RasterizerLibraryError, match=message):
        op_library.find_library(tmp_path)
    (tmp_path / LIBRARY_NAME).touch()
    assert op_library.find_library(tmp_path).name == LIBRARY_NAME


def _load_error(monkeypatch, path):
    monkeypatch.setattr(op_library, "find_library", lambda: path)
    with pytest.raises(op_library.RasterizerLibraryError, match="make op") as caught:
        op_library.load_library.__wrapped__()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_broken_library_is_one_clear_line(tmp_path, monkeypatch):
    path = tmp_path / LIBRARY_NAME
    path.write_text("no library")
    assert f"{path} does not load" in _load_error(monkeypatch, path)


def test_library_without_all_ops_is_one_clear_line(tmp_path, monkeypatch):
    module = types.SimpleNamespace(tf_unsup3d_render_mesh=None)
    monkeypatch.setattr(tf, "load_op_library", lambda path: module)
    path = tmp_path / LIBRARY_NAME
    assert f"{path} lacks ops that this code calls" in _load_error(monkeypatch, path)


def test_up_to_date_library_is_kept(builder, tmp_path):
    path = tmp_path / LIBRARY_NAME
    path.write_text("newer than its sources")
    assert builder.build(tmp_path) == path
    assert path.read_text() == "newer than its sources"


def test_stale_library_is_rebuilt_and_a_failure_explained(
    builder, tmp_path, monkeypatch
):
    path = tmp_path / LIBRARY_NAME
    path.write_text("older than its sources")
    os.utime(path, (0, 0))
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(RuntimeError, match="no compiler no-such-compiler.* CXX"):
        builder.build(tmp_path)
    monkeypatch.setenv("CXX", "false")
    with pytest.raises(RuntimeError, match="false .*failed"):
        builder.build(tmp_path)
    # What is there is kept, and no scratch files stay behind.
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def _error(builder, monkeypatch, capsys, *arguments):
    """The one line that the command ends in."""
    monkeypatch.setattr(sys, "argv", ["build.py", *map(str, arguments)])
    assert builder.main() == 1
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_compiler_that_does_not_run_is_one_clear_line(
    builder, tmp_path, monkeypatch, capsys
):
    compiler = tmp_path / "compiler"
    compiler.write_text("no program")
    monkeypatch.setenv("CXX", str(compiler))
    line = _error(builder, monkeypatch, capsys, "--output_dir", tmp_path / "lib")
    assert line == f"error: {compiler} does not run: Permission denied"


def test_folder_that_cannot_be_written_is_one_clear_line(
    builder, tmp_path, monkeypatch, capsys
):
    (tmp_path / "file").touch()
    line = _error(builder, monkeypatch, capsys, "--output_dir", tmp_path / "file/lib")
    assert re.fullmatch(r"error: .*Not a directory: '.*/file/lib'", line)


@pytest.mark.parametrize("empty", ["", " "])
def test_empty_cxx_is_the_default(empty, builder, tmp_path, monkeypatch):
    commands = []

    def run(command):
        commands.append(command)
        pathlib.Path(command[command.index("-o") + 1]).touch()

    monkeypatch.setenv("CXX", empty)
    monkeypatch.setattr(builder, "_run", run)
    builder.build(tmp_path, force=True)
    assert {command[0] for command in commands} == {"g++"}


def test_nvcc_that_does_not_say_where_cuda_is_is_one_clear_line(
    builder, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("NVCC", "true")
    options = ["--cuda=on", "--output_dir", tmp_path]
    line = _error(builder, monkeypatch, capsys, *options)
    assert re.fullmatch("error: true --dryrun does not say .*NVCC.*--cuda=off", line)


@pytest.mark.parametrize("name", ["core/a.h", "ops/a.cc", "gpu/b/a.h", "gpu/a.cu.cc"])
def test_library_is_stale_once_any_source_changes(
    name, builder, compiled, tmp_path, monkeypatch
):
    source = tmp_path / "cc" / name
    source.parent.mkdir(parents=True)
    source.touch()
    monkeypatch.setattr(builder, "SOURCE_DIR", tmp_path / "cc")
    path = tmp_path / LIBRARY_NAME
    path.touch()
    later = path.stat().st_mtime + 10
    os.utime(path, (later, later))
    builder.build(tmp_path)
    assert compiled == []
    os.utime(source, (later + 10, later + 10))
    builder.build(tmp_path)
    assert compiled == [()]


def test_nvcc_is_found_or_named(builder, monkeypatch):
    assert builder.find_nvcc() == ["/somewhere/nvcc"]
    monkeypatch.setattr(builder.shutil, "which", lambda name: None)
    assert builder.find_nvcc() is None
    monkeypatch.setenv("NVCC", "my-nvcc -ccbin g++-12")
    assert builder.find_nvcc() == ["my-nvcc", "-ccbin", "g++-12"]
    monkeypatch.setenv("NVCC", "")
    assert builder.find_nvcc() is None


def test_cuda_is_built_where_it_is_wanted(builder, monkeypatch):
    found, named = ["/somewhere/nvcc"], ["my-nvcc"]
    assert builder.choose_nvcc("auto") is None
    assert builder.choose_nvcc("on") == found
    monkeypatch.setattr(builder, "has_gpu", lambda: True)
    assert builder.choose_nvcc("auto") == found
    assert builder.choose_nvcc("off") is None
    monkeypatch.setenv("NVCC", "")
    assert builder.choose_nvcc("auto") is None
    monkeypatch.setattr(builder, "has_gpu", lambda: False)
    monkeypatch.setenv("NVCC", "my-nvcc")
    assert builder.choose_nvcc("auto") == named
    assert builder.choose_nvcc("off") is None


def test_cuda_without_nvcc_is_one_clear_line(builder, tmp_path, monkeypatch):
    monkeypatch.setenv("NVCC", "no-such-nvcc")
    with pytest.raises(RuntimeError, match="no compiler no-such-nvcc.* NVCC"):
        builder.build(tmp_path)
    monkeypatch.setenv("NVCC", "")
    with pytest.raises(RuntimeError, match="no nvcc for --cuda=on: .*NVCC"):
        builder.build(tmp_path, cuda="on")


@pytest.mark.parametrize("listed, expected", [("GPU 0: some", True), ("none", False)])
def test_gpu_is_seen(listed, expected, tmp_path, monkeypatch):
    builder = _load_builder()
    monkeypatch.setattr(builder, "GPU_DEVICE", tmp_path / "nvidia0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not builder.has_gpu()
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho {listed}\n")
    program.chmod(0o755)
    assert builder.has_gpu() == expected
    (tmp_path / "nvidia0").touch()
    assert builder.has_gpu()


def test_library_is_rebuilt_for_what_it_lacks(builder, compiled, tmp_path):
    path = tmp_path / LIBRARY_NAME

    def is_kept(**options):
        compiled.clear()
        builder.build(tmp_path, **options)
        return not compiled

    path.write_bytes(b"for the CPU alone")
    assert is_kept() and is_kept(cuda="off")
    assert not is_kept(cuda="on")
    mark = builder._ARCHITECTURES_MARK.encode()
    path.write_bytes(b"code, " + mark + b"75 90\0, code")
    assert builder.built_architectures(path) == ("75", "90")
    assert is_kept()
    assert is_kept(cuda="on", cuda_architectures=("75",))
    assert is_kept(cuda="on", cuda_architectures=("75", "90"))
    assert not is_kept(cuda="on", cuda_architectures=("75", "80"))
    assert not is_kept(cuda="off")
    assert not is_kept(force=True)


def test_one_line_says_what_was_built(builder, compiled, tmp_path, capfd):
    builder.build(tmp_path)
    note = capfd.readouterr().err
    assert re.fullmatch("note: .*CPU alone; .*--cuda=on.*\n", note)
    builder.build(tmp_path, cuda="on", cuda_architectures=("80", "90"))
    note = capfd.readouterr().err
    assert re.fullmatch("note: .*CUDA kernels for sm_80, sm_90; .*--cuda=off.*\n", note)
    assert compiled == [(), ("80", "90")]


def test_architectures_are_chosen(builder):
    assert builder._parse_architectures("90,100,80") == ("80", "90", "100")
    for wrong in ("", "sm_80", "8.0", "80,,90"):
        with pytest.raises(builder.argparse.ArgumentTypeError, match="75,80,90"):
            builder._parse_architectures(wrong)


def _cuda_symbols(path):
    """The symbols of CUDA that a library takes from elsewhere."""
    command = ["nm", "--dynamic", "--undefined-only", path]
    symbols = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "tensorflow" in symbols
    names = [line.split()[-1] for line in symbols.splitlines()]
    return [name for name in names if re.match(r"_*cu(da)?[A-Z]", name)]


def test_library_needs_nothing_of_cuda():
    assert _cuda_symbols(op_library.find_library()) == []


def test_gpu_check_compiles_the_kernels_as_the_op_does():
    builder = _load_builder()
    rules = (SOURCES / "gpu_check.mk").read_text().split()
    # What only a library or several architectures need.
    others = {f"-I{builder.SOURCE_DIR}", "-Xcompiler=-fPIC", "--threads=0"}
    for flag in {*builder.NVCC_FLAGS, "-ffp-contract=off"} - others:
        assert flag in rules, flag


ARCHITECTURE = "75"  # any will do, and one takes the least time
LIST_KERNELS = """
import json, sys
import tensorflow as tf
from tensorflow.python.framework import kernels

def describe(kernel):
    (constraint,) = kernel.constraint
    (dtype,) = constraint.allowed_values.list.type
    return [kernel.device_type, tf.as_dtype(dtype).name, [*kernel.host_memory_arg]]

tf.load_op_library(sys.argv[1])
registered = {
    name: [*map(describe, kernels.get_registered_kernels_for_op(name).kernel)]
    for name in sys.argv[2:]
}
print(json.dumps(registered))
"""


@pytest.fixture(scope="module")
def cuda_library(tmp_path_factory):
    """The op with CUDA kernels for one architecture."""
    builder = _load_builder()
    if builder.find_nvcc() is None:
        pytest.skip("needs nvcc")
    # What is checked of it does not depend on how fast it is.
    for flags in (builder.CXX_FLAGS, builder.NVCC_FLAGS):
        flags[flags.index("-O3")] = "-O0"
    folder = tmp_path_factory.mktemp("cuda")
    return builder.build(folder, cuda="on", cuda_architectures=(ARCHITECTURE,))


def test_library_with_cuda_holds_the_gpu_kernels(cuda_library):
    """And it loads without a GPU, and takes nothing of CUDA from TensorFlow."""
    names = [
        f"TfUnsup3d>{name}"
        for name in (
            "RenderMesh",
            "RenderMeshGrad",
            "RasterizeMesh",
            "RasterizeMeshGrad",
            "TransformPoints",
        )
    ]
    # In another process: in this one the ops are registered already.
    command = [sys.executable, "-c", LIST_KERNELS, cuda_library, *names]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    registered = json.loads(listed)
    for name in names:
        sizes = ["height", "width"] if name == "TfUnsup3d>RasterizeMesh" else []
        expected = [
            [device, dtype, sizes if device == "GPU" else []]
            for device in ("CPU", "GPU")
            for dtype in ("float32", "float64")
        ]
        assert sorted(registered[name]) == expected
    assert f"sm_{ARCHITECTURE}".encode() in cuda_library.read_bytes()
    assert _load_builder().built_architectures(cuda_library) == (ARCHITECTURE,)
    assert _cuda_symbols(cuda_library) == []


INCLUDES = {
    "core": {"core"},
    "ops": {"core", "ops", "tensorflow"},
    "cpu": {"core", "ops", "cpu", "tensorflow"},
    "gpu": {"core", "ops", "gpu", "tensorflow", "unsupported"},
    "tests": {"core", "gpu", "tests"},
}


@pytest.mark.parametrize("folder", INCLUDES)
def test_files_include_downwards_only(folder):
    included = set()
    for path in (SOURCES / "cc" / folder).rglob("*.*"):
        included |= set(re.findall(r'#include "(\w+)/', path.read_text()))
    assert included == INCLUDES[folder]


PROGRAMS = ("bins_test", "fuzz_test", "geometry_test", "picture_test")


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The compiled test programs, with sanitizers if they link."""
    folder = tmp_path_factory.mktemp("programs")
    sanitizers = ["-fsanitize=address,undefined,float-cast-overflow"]
    sanitizers += ["-fno-sanitize-recover=all"]

    def compile_program(name):
        command = os.environ.get("CXX", "g++").split()
        command += ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror"]
        command += ["-ffp-contract=off", f"-I{SOURCES / 'cc'}"]
        command += [SOURCES / "cc" / "tests" / f"{name}.cc", "-o", folder / name]
        if subprocess.run(command + sanitizers, capture_output=True).returncode != 0:
            subprocess.run(command, check=True)

    with futures.ThreadPoolExecutor() as executor:
        list(executor.map(compile_program, PROGRAMS))
    return folder


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_without_tensorflow(name, programs):
    # Whatever is preloaded into this process may not get along with the sanitizers.
    environment = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    result = subprocess.run(
        [programs / name], capture_output=True, text=True, env=environment
    )
    assert result.returncode == 0, result.stdout + result.stderr
