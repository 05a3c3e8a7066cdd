"""The workloads, adapters and tables of the benchmarks, at tiny sizes."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import gradients, renderers, report, speed, workloads
from benchmarks.worker import Worker, WorkerError
from benchmarks.workload import DISTANCE, FIELD_OF_VIEW
from tf_unsup3d.errors import UserError
from tf_unsup3d.geometry.mesh import triangle_neighbors
from tf_unsup3d.rendering.camera import PinholeCamera

PEERS = ("deodr", "tensorflow_graphics", "ptfrenderer", "pytorch3d")
# PyPI has no package of these, and the project may not ship their code. `--ptfrenderer`
# names a checkout of the first; the second is tested where it has been built.
SOURCES_ONLY = ("ptfrenderer", "pytorch3d")


@pytest.fixture
def workload():
    rng = np.random.default_rng(0)
    return workloads.bumpy_spheres(rng, subdivisions=6, resolution=24, batch=2)


def test_camera_is_that_of_the_project():
    camera = PinholeCamera()
    assert camera.field_of_view == pytest.approx(FIELD_OF_VIEW)
    assert camera.distance == pytest.approx(DISTANCE)


@pytest.mark.parametrize("kind", workloads.KINDS)
def test_workloads_are_in_view_and_repeatable(kind):
    def make():
        rng = np.random.default_rng(3)
        return workloads.KINDS[kind](rng, subdivisions=4, resolution=16, batch=2)

    made, again = make(), make()
    for name, value in vars(made).items():
        np.testing.assert_array_equal(value, getattr(again, name))
    np.testing.assert_array_equal(made.neighbors, triangle_neighbors(made.triangles))
    assert made.uv.min() >= 0 and made.uv.max() <= 1
    drawn = renderers.create("ours64")
    picture = drawn.to_numpy(drawn.draw(drawn.load(made)))
    changed = np.any(picture != made.background, axis=-1)
    assert 0.1 < changed.mean() < 0.9


def test_mesh_with_one_uv_for_each_vertex_is_the_same(workload):
    corners = workload.uv_vertices[workload.uv_triangles]
    np.testing.assert_array_equal(corners, workload.triangles)


def test_our_gradient_predicts_our_picture(workload):
    rng = np.random.default_rng(1)
    directions = rng.normal(size=[2, *workload.vertices.shape]) / 12
    weights = rng.normal(size=workload.background.shape)
    errors = gradients.relative_errors(
        renderers.create("ours64"), workload, directions, weights, (1e-6,)
    )
    assert errors.shape == (2, 1)
    assert errors.max() < 1e-4


def test_wrong_gradient_is_found(workload, monkeypatch):
    renderer = renderers.create("ours64")
    right = renderer.differentiate
    monkeypatch.setattr(
        renderer, "differentiate", lambda *args: [1.5 * g for g in right(*args)]
    )
    rng = np.random.default_rng(1)
    directions = rng.normal(size=[1, *workload.vertices.shape]) / 12
    weights = rng.normal(size=workload.background.shape)
    errors = gradients.relative_errors(renderer, workload, directions, weights, (1e-6,))
    assert errors == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("name", PEERS)
def test_peers_draw_the_same_picture(workload, name, pytestconfig):
    options = renderers.Options(ptfrenderer=pytestconfig.getoption("ptfrenderer"))
    try:
        renderer = renderers.create(name, options)
    except renderers.NotAvailable as error:
        if name not in SOURCES_ONLY:
            raise
        pytest.skip(str(error))
    ours = renderers.create("ours")
    expected = ours.to_numpy(ours.draw(ours.load(workload)))
    loaded = renderer.load(workload)
    picture = renderer.to_numpy(renderer.draw(loaded))
    # They treat silhouettes each in their own way.
    assert np.mean(np.abs(picture - expected)) < 0.1
    weights = renderer.weigh(np.ones(workload.background.shape))
    by_vertices, by_texture = renderer.differentiate(loaded, weights)
    assert renderer.to_numpy(by_vertices).shape == workload.vertices.shape
    assert renderer.to_numpy(by_texture).shape == workload.texture.shape


def test_worker_draws_times_and_counts(workload):
    worker = Worker("ours", renderers.Options())
    try:
        worker.load(workload, np.ones(workload.background.shape))
        worker.begin_memory()
        ours = renderers.create("ours")
        expected = ours.to_numpy(ours.draw(ours.load(workload)))
        np.testing.assert_allclose(worker.picture(), expected, atol=1e-6)
        assert worker.time(True) > 0
        assert worker.memory()["peak"] > 1e6
        with pytest.raises(WorkerError, match="broadcast|shape|[Ii]ncompatible"):
            broken = dataclasses.replace(workload, texture=workload.texture[:1])
            worker.load(broken, np.ones(workload.background.shape))
            worker.picture()
    finally:
        worker.close()


def test_worker_says_what_is_missing():
    with pytest.raises(renderers.NotAvailable, match="checkout"):
        Worker("ptfrenderer", renderers.Options())


def test_gradient_tables():
    found = {
        "samples": 4,
        "percentiles": {50: 2e-9, 90: 0.031, 99: 1.7},
        "by_step": {1e-6: {50: 2e-9, 90: 0.031, 99: 1.7}},
    }
    result = {
        "machine": {"date": "today"},
        "settings": {"workloads": 2, "directions": 2, "seed": 0},
        "kinds": ["heads"],
        "resolutions": [16, 32, 64],
        "titles": {"ours64": "ours", "pytorch3d": "other"},
        "measured": {
            "ours64": {"heads": {"16": found}},
            "pytorch3d": {"heads": {"16": found, "32": None}},
        },
        "not_available": {"deodr": "it does not import"},
    }
    text = gradients.tables(json.loads(json.dumps(result)))
    # Not measured is not too slow.
    assert "| ours | 2e-9 / 3.1 % / 170 % |  |  |" in text
    assert "| other | 2e-9 / 3.1 % / 170 % | too slow | too slow |" in text
    assert "deodr: it does not import" in text


def test_gradient_percentiles_are_those_of_the_best_steps():
    found = gradients.measure(
        renderers.create("ours64"), "soups", 16, count=2, directions=2, seed=0
    )
    assert found["samples"] == 4
    for percentile, error in found["percentiles"].items():
        by_step = [errors[percentile] for errors in found["by_step"].values()]
        assert error == min(by_step) < 1e-3


def test_moves_of_the_object_keep_straight_lines():
    rng = np.random.default_rng(0)
    points = rng.normal(size=[2, 5, 3])
    points[:, 4] = 0.5 * (points[:, 0] + points[:, 1])
    moves = gradients._object_moves(rng, points, 3)
    assert moves.shape == (3, 2, 5, 3)
    np.testing.assert_allclose(moves[:, :, 4], 0.5 * (moves[:, :, 0] + moves[:, :, 1]))
    np.testing.assert_allclose(np.mean(moves**2, (1, 2, 3)), 1.0)


@pytest.fixture
def speed_result():
    """What the program writes, with made-up numbers."""
    fast = {
        "forward": [0.001, 0.002, 0.003],
        "both": [0.002, 0.004, 0.006],
        "memory": {"peak": 5e8, "growth": 3e6},
        "difference": 0.0,
    }
    machine = {
        "processor": "some",
        "cores": 2,
        "date": "today",
        "load_average": [0.1],
    }
    found = {
        "ours": fast,
        "deodr": {**fast, "both": [0.02, 0.04]},
        "opengl": {"failure": "took more than 60 s"},
    }
    speed.add_reference(found)
    return {
        "machine": machine,
        "load_average_after": [1.0],
        "settings": {"runs": 3, "seed": 0},
        "added": [],
        "titles": {"ours": "ours", "deodr": "DEODR", "opengl": "OpenGL"},
        "workloads": {"64²": found, "128²": {"ours": fast}},
        "threads": {"ours": {"64²": {"one": fast, "all": fast}}},
        "not_available": {"pytorch3d": "it does not import"},
    }


def test_speed_tables(speed_result):
    text = speed.tables(json.loads(json.dumps(speed_result)))
    assert "| ours | 4.00 ms | 4.00 ms |" in text
    assert "| DEODR | 30 ms, 10x (2 runs) |  |" in text
    assert "| OpenGL | too slow | too slow |" in text
    assert "OpenGL at 64²: took more than 60 s" in text


def test_ratios_are_those_within_a_run(speed_result):
    found = {
        name: dict(one)
        for name, one in speed_result["workloads"]["64²"].items()
        if name != "opengl"
    }
    # Everything takes twice as long in another run.
    for one in found.values():
        one["both"] = [2.0 * seconds for seconds in one["both"]]
    speed.add_reference(found)
    speed_result["workloads"]["64²"]["pytorch3d"] = found["deodr"]
    speed_result["titles"]["pytorch3d"] = "PyTorch3D"
    run = {"renderers": ["pytorch3d"], "measures": ["speed"]}
    run |= {"machine": {"date": "later", "load_average": [0.2]}}
    speed_result["added"].append({**run, "load_average_after": [0.3]})
    text = speed.tables(json.loads(json.dumps(speed_result)))
    assert "| ours | 4.00 ms |" in text
    assert "| DEODR | 30 ms, 10x (2 runs) |" in text
    assert "| PyTorch3D | 60 ms, 10x (2 runs) |" in text
    assert (
        "Added: PyTorch3D (speed); later, load average before 0.2, after 0.3." in text
    )


def test_nothing_is_compared_with_a_failure():
    with pytest.raises(UserError, match="ours: out of memory"):
        speed.add_reference({"ours": {"failure": "out of memory"}, "deodr": {}})


def test_growth_is_added_to():
    def point(triangles, **found):
        return {"triangles": triangles, "pixels": 4, "found": found}

    stored = [point(1, ours=1, deodr=2)]
    measured = [point(1, ours=3, opengl=4), point(2, ours=5, opengl=6)]
    speed.merge_growth(stored, measured, ["opengl"])
    assert stored == [point(1, ours=1, deodr=2, opengl=4), point(2, opengl=6)]


def test_output_of_other_conditions_is_refused(tmp_path):
    def conditions(result):
        return result["settings"]

    path = tmp_path / "result.json"
    result = {"settings": {"runs": 3, "seed": 0}}
    assert report.read_json(path, result, conditions) is None
    report.write_json(path, result)
    assert report.read_json(path, result, conditions) == result
    with pytest.raises(UserError, match="measured with runs 3, not 4"):
        other = {"settings": {"runs": 4, "seed": 0}}
        report.read_json(path, other, conditions)


def test_speed_program_adds_to_its_output(tmp_path):
    path = tmp_path / "speed.json"

    def measure(*arguments):
        command = [sys.executable, "-m", "benchmarks.renderer_speed"]
        command += [f"--output={path}", "--largest=64", "--measure=speed", *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    assert measure("--runs=1", "--renderers=ours").returncode == 0
    before = json.loads(path.read_text())
    assert measure("--runs=1", "--renderers=deodr").returncode == 0
    after = json.loads(path.read_text())
    ((size, found),) = after["workloads"].items()
    assert found["ours"] == before["workloads"][size]["ours"]
    assert found["deodr"]["reference"]["both"] != found["ours"]["both"]
    assert list(after["titles"]) == ["ours", "deodr"]
    assert [run["renderers"] for run in after["added"]] == [["deodr"]]
    refused = measure("--runs=2", "--renderers=deodr")
    assert refused.returncode != 0
    assert "measured with runs 1, not 2" in refused.stderr
    assert json.loads(path.read_text()) == after


def test_section_is_replaced_and_the_rest_kept(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- begin a -->\nold\n<!-- end a -->\nafter\n")
    for text in ("| first |", "| second |"):
        report.replace_section(page, "a", text)
        assert page.read_text() == (
            f"before\n<!-- begin a -->\n\n{text}\n\n<!-- end a -->\nafter\n"
        )
    with pytest.raises(ValueError, match="no section"):
        report.replace_section(page, "b", "text")


def test_texture_aliasing_is_measured():
    """The gradient is that of the picture, unless the level is held fixed."""
    command = [sys.executable, "-m", "benchmarks.texture_aliasing"]
    command += ["--subdivisions=5", "--resolution=16", "--texels=64"]
    command += ["--directions=2", "--functionals=2"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("200 triangles, 16 x 16 pixels\n")
    rows = [line.strip("| ").split(" | ") for line in result.stdout.splitlines()[4:13]]
    assert {(row[1], row[2]) for row in rows} == {
        (movement, sampling)
        for movement in ("moved", "turned", "nearer")
        for sampling in ("bilinear", "mipmaps", "mipmaps, level held fixed")
    }
    shortest = {tuple(row[1:3]): float(row[3].split()[0]) for row in rows}
    for movement in ("moved", "turned", "nearer"):
        assert shortest[movement, "bilinear"] < 1e-3
        assert shortest[movement, "mipmaps"] < 1e-3
        assert shortest[movement, "mipmaps, level held fixed"] > 0.1
    assert "times" in result.stdout.splitlines()[-1]
