"""GLB files of the programs pass Khronos' glTF validator, and trimesh reads them.

That three.js shows them, in a browser, is tested with the gallery and the viewer.
"""

import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import trimesh

from tf_unsup3d.export.meshes import write_mesh
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.reconstruction.calibration import make_encoder_with_limits
from tf_unsup3d.reconstruction.inputs import NamedPicture
from tf_unsup3d.reconstruction.outputs import reconstruct_files
from tf_unsup3d.trained.trained_model import load

VALIDATOR = pathlib.Path(__file__).with_name("gltf_validator")


def run(*command, **options):
    result = subprocess.run(command, capture_output=True, text=True, **options)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def issues():
    """A function: what the validator finds in files, by path."""
    if shutil.which("npm") is None:
        pytest.skip("needs npm (Debian: apt install npm)")
    if not (VALIDATOR / "node_modules").exists():
        run("npm", "ci", "--no-audit", "--no-fund", cwd=VALIDATOR)

    def validate(paths):
        return json.loads(run("node", VALIDATOR / "validate.js", *paths))

    return validate


def check(issues, paths):
    assert paths
    for path, found in issues(paths).items():
        assert found["numErrors"] == found["numWarnings"] == 0, (path, found)
    for path in paths:
        mesh = trimesh.load_mesh(path)
        assert mesh.is_winding_consistent
        assert mesh.visual.material.baseColorTexture is not None


def test_samples(issues, tmp_path):
    run(
        *(sys.executable, "-m", "tf_unsup3d.programs.sample"),
        *("--model_dir=pretrained:faces64", f"--output={tmp_path}", "--seeds=0-1"),
    )
    check(issues, sorted(tmp_path.glob("*.glb")))


def test_reconstructions(issues, small_run, tmp_path):
    model = load(small_run)
    sizes = dict(channel_base=128, channel_max=16, dense_size=32)
    encoder = make_encoder_with_limits(model, 1, held_out=2, fit_steps=1, **sizes)
    picture = to_uint8(model.draw(model.sample([3]))["picture"][0])
    named = [NamedPicture("a photo.jpg", "a photo", picture)]
    reconstruct_files(model, named, tmp_path, encoder=encoder, steps=0)
    check(issues, [tmp_path / "a photo.glb"])


def test_open_meshes(issues, tmp_path):
    mesh = Mesh(np.array([[0, 1, 2]]), np.float32([[0, 0], [0, 1], [1, 0]]))
    vertices = np.float32([[0, 0, 0], [0, 1, 0], [1, 0, 0]])
    path = tmp_path / "a triangle.glb"
    write_mesh(path, vertices, mesh, np.zeros([4, 4, 3], np.uint8))
    check(issues, [path])


def test_a_fault_is_found(issues, tmp_path):
    """Indices of a triangle beyond the vertices that the file has."""
    path = tmp_path / "wrong.glb"
    mesh = Mesh(np.array([[0, 1, 2]]), np.float32([[0, 0], [0, 1], [1, 0]]))
    vertices = np.float32([[0, 0, 0], [0, 1, 0], [1, 0, 0]])
    write_mesh(path, vertices, mesh, np.zeros([4, 4, 3], np.uint8))
    indices = np.array([0, 1, 2], np.uint32).tobytes()
    content = path.read_bytes()
    assert content.count(indices) == 1
    path.write_bytes(content.replace(indices, np.array([0, 1, 9], np.uint32).tobytes()))
    assert issues([path])[str(path)]["numErrors"] > 0
