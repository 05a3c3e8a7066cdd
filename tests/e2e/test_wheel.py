"""A wheel holds all that the package needs, away from the checkout."""

import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib

import PIL.Image
import pytest
import requests
import tensorflow as tf
import trimesh

from benchmarks.server_process import serving

ROOT = pathlib.Path(__file__).resolve().parents[2]

FIND_EXPERIMENTS = """
import pathlib, sys
import tf_unsup3d
from tf_unsup3d.trained import gin_files

package = pathlib.Path(tf_unsup3d.__file__).parent
assert package == pathlib.Path(sys.argv[1]) / "tf_unsup3d", package
for path in (package / "gin_configs").rglob("*.gin"):
    assert gin_files.find_file(str(path.relative_to(package))) == path
"""


def experiments():
    found = list((ROOT / "gin_configs").rglob("*.gin"))
    assert found
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, source)
    # Without what was built before.
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    for name in ("custom_ops", "gin_configs", "tf_unsup3d"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    command = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation"]
    result = subprocess.run(
        [*command, "--no-deps", "--no-index", "--wheel-dir", folder, source],
        capture_output=True,
        text=True,
        # Compiling for GPUs takes a while and makes no difference here.
        env={**os.environ, "NVCC": ""},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """A virtual environment with the wheel; its dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", python, "install"]
    subprocess.run([*command, "--quiet", "--no-deps", "--no-index", wheel], check=True)
    (packages,) = folder.glob("lib/*/site-packages")
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder


@pytest.fixture(scope="module")
def installed(environment):
    """The folder that the wheel was installed to."""
    (packages,) = environment.glob("lib/*/site-packages")
    return packages


def run_installed(environment, tmp_path, program, *arguments):
    """Runs a program of the environment away from the checkout."""
    # TF_ENABLE_ONEDNN_OPTS is what the programs set for their users.
    ours = "PYTHONPATH", "TF_ENABLE_ONEDNN_OPTS"
    variables = {k: v for k, v in os.environ.items() if k not in ours}
    return subprocess.run(
        [environment / "bin" / program, *arguments],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
    )


def test_wheel_is_for_this_platform_and_any_python(wheel):
    assert re.search(r"-py3-none-linux_\w+\.whl$", wheel.name)


def test_wheel_holds_one_op_and_asks_for_its_tensorflow(installed):
    (library,) = installed.rglob("*.so")
    assert library.parent == installed / "tf_unsup3d" / "rendering" / "lib"
    assert tf.__version__ in library.name
    (metadata,) = installed.glob("*.dist-info/METADATA")
    assert f"Requires-Dist: tensorflow=={tf.__version__}\n" in metadata.read_text()


def test_wheel_holds_the_experiments(environment, installed, tmp_path):
    packed = installed / "tf_unsup3d" / "gin_configs"
    names = {path.relative_to(ROOT / "gin_configs") for path in experiments()}
    assert {path.relative_to(packed) for path in packed.rglob("*.gin")} == names
    result = run_installed(
        environment, tmp_path, "python", "-c", FIND_EXPERIMENTS, installed
    )
    assert result.returncode == 0, result.stderr


def test_wheel_holds_the_trained_generators_and_what_pages_need(installed):
    package = ROOT / "tf_unsup3d"
    trained = {path.name for path in (package / "pretrained").iterdir()}
    assert {"faces64", "heads64"} <= trained
    for pattern, required in {
        "pretrained/*/*": {"config.gin", "generator.npz", "card.json"},
        "serving/viewer_assets/*": {"index.html", "viewer.css", "viewer.js"},
        "export/gallery_assets/*": {"gallery.html", "model-viewer-umd.min.js"},
        "py.typed": {"py.typed"},
    }.items():
        wanted = contents(package, pattern)
        assert required <= {path.name for path in wanted}
        assert contents(installed / "tf_unsup3d", pattern) == wanted


def contents(folder, pattern):
    """The contents of files by their paths in a folder."""
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.glob(pattern)
    }


def test_installed_package_renders(environment, tmp_path):
    readme = (ROOT / "README.md").read_text()
    for example in re.findall(
        r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE
    ):
        result = run_installed(environment, tmp_path, "python", "-c", example)
        assert result.returncode == 0, result.stderr
    assert (tmp_path / "ball.png").exists()


def test_installed_package_makes_a_gallery(environment, tmp_path):
    result = run_installed(
        environment,
        tmp_path,
        "unsup3d-sample",
        "--model_dir=pretrained:faces64",
        "--output=samples",
        "--seeds=0",
        "--gallery",
    )
    assert result.returncode == 0, result.stderr
    page = (tmp_path / "samples" / "gallery.html").read_text()
    assert "ModelViewerElement" in page and "data:model/gltf-binary" in page


def test_installed_service_serves_a_pretrained_model(environment):
    script = environment / "bin" / "unsup3d-serve"
    with serving("pretrained:faces64", "--batch_size=1", command=[script]) as server:
        picture = requests.get(f"{server.url}/v1/render.png", {"seed": 3})
        assert PIL.Image.open(io.BytesIO(picture.content)).size == (64, 64)
        mesh = requests.get(f"{server.url}/v1/mesh.glb", {"seed": 3})
        mesh = trimesh.load_mesh(io.BytesIO(mesh.content), file_type="glb")
        assert len(mesh.faces) == 8192
        assert server.stop() == 0


@pytest.mark.parametrize(
    "script",
    tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"],
)
def test_installed_programs_list_their_flags(environment, tmp_path, script):
    result = run_installed(environment, tmp_path, script, "--help")
    assert result.returncode == 0, result.stderr
    name = script.removeprefix("unsup3d-").replace("-", "_")
    source = (ROOT / "tf_unsup3d" / "programs" / f"{name}.py").read_text()
    defined = re.findall(r'DEFINE_\w+\(\s*"(\w+)"', source)
    assert defined
    for flag in defined:
        assert f"--{flag}" in result.stdout or f"--[no]{flag}" in result.stdout
    assert "helpfull" not in result.stdout
    # Nothing else is told, and help does not wait for TensorFlow.
    assert result.stderr == ""
