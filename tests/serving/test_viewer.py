import asyncio
import concurrent.futures
import hashlib
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import trimesh
from PIL import Image
from starlette.requests import Request

from tf_unsup3d.export.animations import FULL_TURN
from tf_unsup3d.reconstruction import editing
from tf_unsup3d.rendering import op_library
from tf_unsup3d.rendering.op_library import RasterizerLibraryError
from tf_unsup3d.serving import model_source
from tf_unsup3d.serving.request_error import RequestError
from tf_unsup3d.serving.viewer import paths as paths_module
from tf_unsup3d.serving.viewer import views as views_module
from tf_unsup3d.serving.viewer.paths import ViewerPaths
from tf_unsup3d.serving.viewer.views import KINDS, Viewpoint, Views
from tf_unsup3d.trained.trained_model import load

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "viewer"
ASSETS = ROOT / "tf_unsup3d" / "serving" / "viewer_assets"
SIZE = 256


@pytest.fixture(scope="module")
def views(small_run):
    return Views(load(small_run))


@pytest.fixture(scope="module")
def viewer(views):
    return ViewerPaths("small", views)


@pytest.fixture(scope="module")
def style(small_run):
    return load(small_run).styles([3])[0].numpy()


def ask(viewer, path, query="", **path_params):
    """What the handler of a path answers."""
    handlers = {path: handler for path, _, handler in viewer.paths()}
    scope = {
        "type": "http",
        "method": "GET",
        "query_string": query.encode(),
        "path_params": path_params,
        "headers": [],
    }
    return asyncio.run(handlers[path](Request(scope), b""))


def refusal(viewer, path, query="", **path_params):
    with pytest.raises(RequestError) as raised:
        ask(viewer, path, query, **path_params)
    return raised.value.status, raised.value.message


def text_of(style):
    return ",".join(map(str, style))


def test_page_is_built_from_its_sources():
    names = [f"src/{path.name}" for path in (SOURCES / "src").iterdir()]
    digest = hashlib.sha256()
    for name in sorted([*names, "build.js", "package-lock.json"]):
        digest.update(f"{name}\n".encode())
        digest.update((SOURCES / name).read_bytes())
    script = (ASSETS / "viewer.js").read_text("utf-8")
    built = re.match(r"/\* sources: (\w+) \*/\n", script)[1]
    assert built == digest.hexdigest(), "run make viewer"
    for name in ("index.html", "viewer.css"):
        assert (ASSETS / name).read_bytes() == (SOURCES / "src" / name).read_bytes()


def test_page_runs_no_code_but_its_own_and_says_whose_it_is():
    script = (ASSETS / "viewer.js").read_text("utf-8")
    assert "@license" in script and "Three.js Authors" in script
    assert "MIT" in (ASSETS / "three-LICENSE").read_text("utf-8")
    assert not re.search(r"\beval\(|new Function\(|import\(", script)
    page = (ASSETS / "index.html").read_text("utf-8")
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)
    assert not re.search(r"""<script(?! type="module" src="/viewer/viewer.js")""", page)


def test_page_is_served_with_a_policy_against_foreign_code(viewer):
    page = ask(viewer, "/")
    assert page.body.startswith(b"<!doctype html>")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    script = ask(viewer, "/viewer/{asset}", asset="viewer.js")
    assert script.media_type == "text/javascript"
    assert refusal(viewer, "/viewer/{asset}", asset="../paths.py")[0] == 404


def test_description(viewer, views):
    described = json.loads(ask(viewer, "/viewer/model.json").body)
    assert described["name"] == "small"
    assert described["viewpoint_limits_degrees"] == [30.0, 10.0, 0.0]
    light = described["light"]
    strengths = [lamp["strength"] for lamp in light["lamps"]]
    assert light["ambient"] + sum(strengths) == pytest.approx(1.0)
    steps = np.array([each["step"] for each in described["directions"]])
    products = steps @ steps.T
    assert products == pytest.approx(np.diag(np.diag(products)), abs=1e-4)
    parts = [each["part_of_variance"] for each in described["directions"]]
    assert parts == sorted(parts, reverse=True) and sum(parts) <= 1.0


def test_directions_and_mean_are_those_of_the_model(views, small_run):
    described, model = views.describe(), load(small_run)
    assert described["mean_style"] == pytest.approx(model.mean_style[0].numpy())
    for axis, direction in enumerate(described["directions"]):
        style = np.zeros([1, views.style_size], np.float32)
        moved = editing.move(model, style, axis, deviations=1.0)
        assert direction["step"] == pytest.approx(moved[0])


def test_questions_about_another_model_are_refused(viewer, views, small_run, style):
    other = load(small_run)
    assert Views(other).checksum == views.checksum
    kernel = other.generator.trainable_variables[-1]
    kernel.assign(kernel + 1e-3)
    checksum = Views(other).checksum
    assert checksum != views.checksum
    for path, path_params in (
        ("/viewer/picture.png", {}),
        ("/viewer/mesh.glb", {}),
        ("/viewer/turntable{suffix}", {"suffix": ".gif"}),
    ):
        # Even if the other model's styles cannot be read.
        query = f"style=1,2&checksum={checksum}"
        assert refusal(viewer, path, query, **path_params)[0] == 412
    described = json.loads(ask(viewer, "/viewer/model.json").body)
    query = f"style={text_of(style)}&checksum={described['checksum']}"
    assert ask(viewer, "/viewer/mesh.glb", query).status_code == 200


def test_a_newer_version_leaves_what_is_served_as_it_is(small_run, tmp_path):
    """The program serves the model that it draws, whatever comes into its folder."""
    with model_source.served_folder(str(small_run)) as served:
        folder = shutil.copytree(served, tmp_path / "small")
    program = f"""
import shutil
from tf_unsup3d.serving import server
from tf_unsup3d.trained.saved_model_folder import find_versions

def serve(folder, name, **options):
    shutil.copytree({str(folder / "1")!r}, {str(folder / "2")!r})
    print(name, find_versions(folder))
    return True

server.serve = serve
from tf_unsup3d.programs import view
view.run()
"""
    result = subprocess.run(
        [sys.executable, "-c", program, f"--model_dir={folder}"],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == "small [1]\n"


@pytest.mark.parametrize("kind", KINDS)
def test_pictures(viewer, style, kind):
    query = f"style={text_of(style)}&kind={kind}&yaw_degrees=20"
    answer = ask(viewer, "/viewer/picture.png", query)
    with Image.open(io.BytesIO(answer.body)) as picture:
        assert picture.mode == ("RGBA" if kind == "object" else "RGB")
        size = 16 if kind in ("texture", "background") else SIZE
        assert picture.size == (size, size)
        assert np.ptp(np.asarray(picture)) > 20


def test_pictures_without_the_compiled_op(views, small_run, style, monkeypatch):
    viewpoint = Viewpoint(40.0)

    def pictures(source):
        for kind in KINDS:
            with Image.open(io.BytesIO(source.picture(style, kind, viewpoint))) as png:
                yield np.asarray(png, np.int32)

    expected = list(pictures(views))

    def fail(*arguments):
        raise RasterizerLibraryError("the op is not built")

    monkeypatch.setattr(model_source, "find_library", fail)
    monkeypatch.setattr(op_library, "load_library", fail)
    with pytest.raises(RasterizerLibraryError):
        Views(load(small_run)).picture(style, "object", viewpoint)
    portable = Views(model_source.load_to_draw(str(small_run)))
    for kind, one, other in zip(KINDS, expected, pictures(portable), strict=True):
        # To rounding, but for a pixel at whose centre an edge lies.
        assert np.mean(np.abs(one - other) > 1) < 1e-3, kind


def test_object_is_seen_whole_from_everywhere(views, style):
    for viewpoint in (Viewpoint(), Viewpoint(90.0), Viewpoint(200.0, 60.0, 40.0)):
        with Image.open(io.BytesIO(views.picture(style, "object", viewpoint))) as png:
            alpha = np.asarray(png)[..., 3]
        assert 0.2 < (alpha > 128).mean() < 0.9
        border = [alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]]
        assert np.max(border) == 0


@pytest.fixture
def fillings(monkeypatch):
    """The calls of `fill_hidden_texture`, which fills nothing but takes a while."""
    calls = []

    def fill(model, scene):
        calls.append(scene)
        time.sleep(0.2)
        return scene

    monkeypatch.setattr(views_module, "fill_hidden_texture", fill)
    return calls


def test_only_beyond_the_viewpoints_of_training_texture_is_filled(
    views, style, fillings
):
    limits = (30.0, 10.0, 0.0)
    assert Viewpoint(-30.0, 10.0, 0.0).is_within(limits)
    assert not Viewpoint(31.0).is_within(limits)
    assert not Viewpoint(0.0, -11.0).is_within(limits)
    other = style + np.float32(0.25)
    views.picture(other, "picture", Viewpoint(30.0))
    assert not fillings
    views.picture(other, "picture", Viewpoint(31.0))
    assert len(fillings) == 1


def test_what_two_ask_for_at_once_is_made_once(views, style, fillings):
    other = style + np.float32(0.5)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(views._filled, [other.tobytes()] * 2))
    assert len(fillings) == 1


def test_mesh_file(viewer, style):
    answer = ask(viewer, "/viewer/mesh.glb", f"style={text_of(style)}")
    mesh = trimesh.load_mesh(io.BytesIO(answer.body), file_type="glb")
    assert len(mesh.faces) == 128
    assert mesh.visual.material.baseColorTexture.size == (16, 16)


def test_video(viewer, style):
    path = "/viewer/turntable{suffix}"
    query = f"style={text_of(style)}&pitch_degrees=5"
    answer = ask(viewer, path, query, suffix=".gif")
    with Image.open(io.BytesIO(answer.body)) as video:
        assert video.n_frames == len(FULL_TURN) and video.size == (SIZE, SIZE)
    status, message = refusal(viewer, path, query, suffix=".avi")
    assert status == 404 and ".gif" in message


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "style must be 8 numbers"),
        ("style=1,2", "got 2"),
        ("style=a,1,1,1,1,1,1,1", "from -1000"),
        ("style=nan,1,1,1,1,1,1,1", "from -1000"),
        ("style=1e9,1,1,1,1,1,1,1", "from -1000"),
        ("style=1,1,1,1,1,1,1,1&kind=shape", "kind must be one of picture"),
        ("style=1,1,1,1,1,1,1,1&yaw_degrees=x", "yaw_degrees must be a number"),
        ("style=1,1,1,1,1,1,1,1&seed=1", "unknown parameter 'seed'"),
    ],
)
def test_bad_queries_are_refused(viewer, query, words):
    status, message = refusal(viewer, "/viewer/picture.png", query)
    assert status == 400 and words in message


def test_too_many_requests_are_refused(viewer, style, monkeypatch):
    monkeypatch.setattr(paths_module, "_MOST_REQUESTS", 0)
    status, _ = refusal(viewer, "/viewer/mesh.glb", f"style={text_of(style)}")
    assert status == 503
