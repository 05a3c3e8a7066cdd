"""A wheel holds all that the package needs, away from the checkout."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
import tensorflow as tf

ROOT = pathlib.Path(__file__).resolve().parents[1]

FIND_EXPERIMENTS = """
import pathlib, sys
import tf_unsup3d
from tf_unsup3d.programs import configs

package = pathlib.Path(tf_unsup3d.__file__).parent
assert package == pathlib.Path(sys.argv[1]) / "tf_unsup3d", package
for path in (package / "gin_configs").rglob("*.gin"):
    assert configs.find_config(str(path.relative_to(package))) == path
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
        timeout=300,
        # Compiling for GPUs takes a while and makes no difference here.
        env={**os.environ, "NVCC": ""},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run_installed(installed, tmp_path, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_wheel_is_for_this_platform_and_any_python(wheel):
    assert re.search(r"-py3-none-linux_\w+\.whl$", wheel.name)


def test_wheel_holds_one_op_and_asks_for_its_tensorflow(installed):
    (library,) = installed.rglob("*.so")
    assert library.parent == installed / "tf_unsup3d" / "rendering" / "lib"
    assert tf.__version__ in library.name
    (metadata,) = installed.glob("*.dist-info/METADATA")
    assert f"Requires-Dist: tensorflow=={tf.__version__}\n" in metadata.read_text()


def test_wheel_holds_the_experiments(installed, tmp_path):
    packed = installed / "tf_unsup3d" / "gin_configs"
    names = {path.relative_to(ROOT / "gin_configs") for path in experiments()}
    assert {path.relative_to(packed) for path in packed.rglob("*.gin")} == names
    result = run_installed(installed, tmp_path, "-c", FIND_EXPERIMENTS, installed)
    assert result.returncode == 0, result.stderr


def test_wheel_holds_the_trained_generators(installed):
    folder = pathlib.Path("tf_unsup3d") / "pretrained"
    trained = list((ROOT / folder).iterdir())
    assert {"faces64", "heads64"} <= {path.name for path in trained}
    for path in trained:
        for name in ("config.gin", "generator.npz", "card.json"):
            packed = installed / folder / path.name / name
            assert packed.read_bytes() == (path / name).read_bytes()


def test_installed_package_renders(installed, tmp_path):
    readme = (ROOT / "README.md").read_text()
    example = re.search(r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    result = run_installed(installed, tmp_path, "-c", example.group(1))
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "ball.png").exists()
