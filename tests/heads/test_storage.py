import dataclasses
import json
import re

import numpy as np
import pytest
from PIL import Image

from tf_unsup3d.errors import UserError
from tf_unsup3d.heads import storage
from tf_unsup3d.heads.model_file import HeadModelFile, write_head_model
from tf_unsup3d.heads.settings import HeadSetSettings
from tf_unsup3d.heads.shape import procedural_head_model
from tf_unsup3d.rendering.camera import PinholeCamera

SETTINGS = HeadSetSettings(
    count=5, validation_count=2, test_count=3, resolution=16, seed=4
)


@pytest.fixture(scope="module")
def head_set(tmp_path_factory):
    output = tmp_path_factory.mktemp("heads") / "set"
    made = []
    assert storage.make_head_set(output, SETTINGS, progress=made.append)
    assert sum(made) == 10
    return output


def files(folder):
    return sorted(
        path.relative_to(folder) for path in folder.rglob("*") if path.is_file()
    )


def read(path):
    with Image.open(path) as picture:
        assert picture.mode == "RGB"
        return np.asarray(picture)


def test_the_training_folder_holds_pictures_and_nothing_else(head_set):
    train = storage.picture_dir(head_set, "train")
    assert [path.name for path in files(train)] == [f"{i:06}.png" for i in range(5)]
    assert read(train / "000000.png").shape == (16, 16, 3)
    truth = {path.parent.name for path in head_set.rglob("*.npz")}
    assert truth == {"truth"}


def test_truth_is_aligned_with_the_pictures(head_set):
    truth = storage.load_truth(head_set, "test")
    names = [path.name for path in files(storage.picture_dir(head_set, "test"))]
    assert truth.names == names == ["000000.png", "000001.png", "000002.png"]
    assert truth.depth.shape == truth.mask.shape == (3, 16, 16)
    assert truth.depth.dtype == truth.normals.dtype == np.float32
    assert truth.normals.shape == (3, 16, 16, 3)
    assert truth.viewpoints.shape == (3, 3)
    assert truth.coefficients.shape == (3, len(truth.coefficient_names))
    assert np.all((truth.depth > 10.0) == truth.mask)
    np.testing.assert_allclose(
        np.linalg.norm(truth.normals[truth.mask], axis=-1), 1.0, atol=2e-3
    )
    assert np.all(np.abs(np.degrees(truth.viewpoints)) <= [60.0, 15.0, 0.0])


def test_no_head_is_in_two_splits(head_set):
    rows = [
        row
        for split in ("validation", "test")
        for row in storage.load_truth(head_set, split).coefficients.tolist()
    ]
    assert len({tuple(row) for row in rows}) == 5
    pictures = [path.read_bytes() for path in head_set.rglob("*.png")]
    assert len(set(pictures)) == 10


def test_the_same_settings_give_the_same_bytes(head_set, tmp_path):
    storage.make_head_set(tmp_path, SETTINGS)
    assert files(tmp_path) == files(head_set)
    for path in files(head_set):
        assert (tmp_path / path).read_bytes() == (head_set / path).read_bytes(), path


def test_a_larger_set_begins_with_the_smaller_one(head_set, tmp_path):
    storage.make_head_set(tmp_path, dataclasses.replace(SETTINGS, count=7))
    for path in files(head_set / "train"):
        smaller, larger = head_set / "train" / path, tmp_path / "train" / path
        assert larger.read_bytes() == smaller.read_bytes()


def test_another_seed_gives_other_heads(head_set, tmp_path):
    settings = HeadSetSettings(
        count=1, validation_count=0, test_count=0, resolution=16, seed=5
    )
    storage.make_head_set(tmp_path, settings)
    other = (tmp_path / "train/000000.png").read_bytes()
    assert other != (head_set / "train/000000.png").read_bytes()
    assert not (tmp_path / "test").exists()


def test_an_interrupted_set_is_finished(head_set, tmp_path):
    def stop(made):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        storage.make_head_set(tmp_path, SETTINGS, progress=stop)
    assert not json.loads((tmp_path / "heads.json").read_text())["complete"]
    (tmp_path / "train/000002.png").unlink(missing_ok=True)
    assert storage.make_head_set(tmp_path, SETTINGS)
    assert files(tmp_path) == files(head_set)
    for path in files(head_set):
        assert (tmp_path / path).read_bytes() == (head_set / path).read_bytes(), path


def test_a_complete_set_is_left_alone(head_set):
    before = {path: (head_set / path).stat().st_mtime_ns for path in files(head_set)}
    assert not storage.make_head_set(head_set, SETTINGS)
    after = {path: (head_set / path).stat().st_mtime_ns for path in files(head_set)}
    assert before == after


def test_another_set_is_refused(head_set):
    with pytest.raises(UserError, match="another set of heads.*seed 4 instead of 9"):
        storage.make_head_set(head_set, dataclasses.replace(SETTINGS, seed=9))


def test_the_camera_is_recorded(head_set, tmp_path):
    camera = PinholeCamera(0.3, principal_point=(0.4, 0.5))
    settings = HeadSetSettings(1, 0, 0, resolution=16)
    assert storage.make_head_set(tmp_path, settings, camera=camera)
    assert not storage.make_head_set(tmp_path, settings, camera=camera)
    with pytest.raises(UserError, match="another set of heads .another camera"):
        storage.make_head_set(tmp_path, settings)
    # Sets that do not name a camera have the default one.
    path = head_set / "heads.json"
    text = path.read_text()
    content = json.loads(text)
    assert PinholeCamera(**content.pop("camera")) == PinholeCamera()
    path.write_text(json.dumps(content))
    try:
        assert not storage.make_head_set(head_set, SETTINGS)
    finally:
        path.write_text(text)


def test_the_head_model_and_the_backgrounds_are_recorded(head_set, tmp_path):
    backgrounds = head_set / "train"
    model = tmp_path / "model.npz"
    with pytest.raises(UserError, match="cannot read .*model.npz"):
        storage.make_head_set(
            tmp_path / "set", dataclasses.replace(SETTINGS, head_model=str(model))
        )
    procedural = procedural_head_model(8)
    write_head_model(
        model,
        HeadModelFile(
            mean=procedural.shape.mean,
            basis=procedural.shape.basis[:2],
            triangles=procedural.triangles,
            eye_centres=np.array([[-0.2, -0.06, -0.4], [0.2, -0.06, -0.4]]),
            nose_tip=np.array([0.0, 0.2, -0.76]),
            regions=np.zeros((len(procedural.coordinates), 0)),
            region_names=(),
        ),
    )
    settings = HeadSetSettings(
        count=1,
        validation_count=0,
        test_count=1,
        resolution=16,
        head_model=str(model),
        backgrounds=str(backgrounds),
    )
    storage.make_head_set(tmp_path / "set", settings)
    stored = json.loads((tmp_path / "set/heads.json").read_text())["settings"]
    assert re.fullmatch(r"model.npz sha256:[0-9a-f]{64}", stored["head_model"])
    assert re.fullmatch(r"train sha256:[0-9a-f]{64}", stored["backgrounds"])
    truth = storage.load_truth(tmp_path / "set", "test")
    assert "shape/component_01" in truth.coefficient_names
    model.rename(tmp_path / "other.npz")
    moved = dataclasses.replace(settings, head_model=str(tmp_path / "other.npz"))
    with pytest.raises(UserError, match="head_model model.npz .* instead of other.npz"):
        storage.make_head_set(tmp_path / "set", moved)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="holds other files"):
        storage.make_head_set(tmp_path, SETTINGS)
    with pytest.raises(UserError, match="not a folder"):
        storage.make_head_set(tmp_path / "notes.txt", SETTINGS)
    with pytest.raises(UserError, match="cannot write"):
        storage.make_head_set(tmp_path / "notes.txt" / "heads", SETTINGS)


def test_a_broken_description_is_refused(tmp_path):
    (tmp_path / "heads.json").write_text("{")
    with pytest.raises(UserError, match="heads.json is not JSON"):
        storage.make_head_set(tmp_path, SETTINGS)


@pytest.mark.parametrize(
    "name, value",
    [
        ("count", 0),
        ("test_count", -1),
        ("seed", -1),
        ("resolution", 48),
        ("resolution", 1024),
        ("yaw_range", -1.0),
        ("yaw_range", float("nan")),
        ("pitch_range", 91.0),
    ],
)
def test_settings_out_of_range_are_named(name, value):
    with pytest.raises(UserError, match=name):
        dataclasses.replace(SETTINGS, **{name: value})


def test_missing_truth_is_named(head_set, tmp_path):
    with pytest.raises(UserError, match="holds no truth"):
        storage.load_truth(tmp_path, "test")
    with pytest.raises(UserError, match="holds no truth"):
        storage.load_truth(head_set, "train")
