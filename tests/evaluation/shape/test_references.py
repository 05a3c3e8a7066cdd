"""The shape evaluation: its references and its pairs."""

import json
import math
import shutil

import numpy as np
import PIL.Image
import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.random_batches import random_batches
from tf_unsup3d.evaluation.shape import references
from tf_unsup3d.evaluation.shape.pairs import DepthPairs, load_head_pairs, sample_pairs
from tf_unsup3d.evaluation.shape.report import ShapeReport
from tf_unsup3d.evaluation.shape.sheet import shape_sheet
from tf_unsup3d.export.sheets import FONT_SIZE, GUTTER, SMALLEST_PICTURE
from tf_unsup3d.heads import storage
from tf_unsup3d.rendering.camera import PinholeCamera

CAMERA = PinholeCamera()
DISTANCE = CAMERA.distance


def test_heads_of_another_resolution_are_refused(head_set):
    with pytest.raises(UserError, match="of 16 pixels, but 32 are needed"):
        load_head_pairs(head_set, "test", 32, CAMERA)


def test_heads_before_another_camera_are_refused(head_set):
    other = PinholeCamera(field_of_view=0.5)
    with pytest.raises(UserError, match="rendered with another camera"):
        load_head_pairs(head_set, "test", 16, other)


def test_head_pairs_belong_together(head_set):
    pairs = load_head_pairs(head_set, "test", 16, CAMERA)
    assert len(pairs) == 5
    truth = storage.load_truth(head_set, "test")
    np.testing.assert_array_equal(pairs.depth, truth.depth)
    path = storage.picture_dir(head_set, "test") / truth.names[3]
    with PIL.Image.open(path) as picture:
        np.testing.assert_array_equal(pairs.pictures[3], np.asarray(picture))


def test_normals_are_not_read(head_set, tmp_path):
    shutil.copytree(head_set, tmp_path / "set")
    (path,) = (tmp_path / "set/test/truth").glob("*.npz")
    with np.load(path) as file:
        arrays = {name: value for name, value in file.items() if name != "normals"}
    np.savez(path, **arrays)
    assert len(load_head_pairs(tmp_path / "set", "test", 16, CAMERA)) == 5


def test_a_missing_picture_is_named(head_set, tmp_path):
    path = storage.picture_dir(head_set, "test") / "000002.png"
    moved = path.rename(tmp_path / "away.png")
    try:
        with pytest.raises(UserError, match="000002.png"):
            load_head_pairs(head_set, "test", 16, CAMERA)
    finally:
        moved.rename(path)


def damage_picture(head_set, folder, change):
    """Copies a set, with another file in the place of a test picture."""
    shutil.copytree(head_set, folder)
    path = storage.picture_dir(folder, "test") / "000002.png"
    change(path)
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda path: PIL.Image.new("RGB", (1, 1)).save(path),
        lambda path: PIL.Image.new("RGB", (16, 8)).save(path),
        lambda path: path.write_bytes(path.read_bytes()[:-40]),
        lambda path: path.write_bytes(b""),
    ],
)
def test_another_picture_is_named(head_set, tmp_path, change):
    path = damage_picture(head_set, tmp_path / "set", change)
    with pytest.raises(UserError, match=f"^{path} is not the picture that its truth"):
        load_head_pairs(tmp_path / "set", "test", 16, CAMERA)


def test_a_picture_of_too_many_pixels_is_named(head_set, monkeypatch):
    # Pillow raises an error of its own above twice as many.
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(UserError, match="000000.png is not the picture"):
        load_head_pairs(head_set, "test", 16, CAMERA)


def test_samples_come_from_the_viewpoints_of_the_model(small_trained):
    batches = list(random_batches(small_trained, 20))
    views = np.degrees(np.concatenate([batch.viewpoints for batch in batches]))
    assert views.shape == (20, 3)
    assert np.all(np.abs(views) <= [30.0, 10.0, 0.0]) and views[:, 0].std() > 8.0


def test_pairs_belong_together(small_trained):
    pairs, viewpoints = sample_pairs(small_trained, 20)
    batches = random_batches(small_trained, 20)
    expected = np.concatenate([batch.viewpoints for batch in batches])
    np.testing.assert_array_equal(viewpoints, expected)
    assert pairs.pictures.shape == (20, 16, 16, 3)
    assert pairs.pictures.dtype == np.uint8
    assert pairs.camera == small_trained.camera
    assert pairs.mask.any((1, 2)).all()
    assert np.abs(pairs.depth[pairs.mask] - DISTANCE).max() < 1.5
    again, _ = sample_pairs(small_trained, 20)
    other, _ = sample_pairs(small_trained, 20, seed=1)
    np.testing.assert_array_equal(pairs.pictures, again.pictures)
    assert np.any(pairs.pictures != other.pictures)


def test_average_depth_by_hand():
    mask = np.zeros([100, 3, 3], bool)
    mask[:, 0, 0] = True
    mask[:50, 0, 1] = True
    mask[0, 2, 2] = True  # too few to be of use
    depth = np.where(mask, 10.0, 0.0).astype(np.float32)
    depth[::2, 0, 0] = 12.0
    depth[0, 2, 2] = 99.0
    pairs = DepthPairs(np.zeros([100, 3, 3, 3], np.uint8), depth, mask, CAMERA)
    average = references.average_depth(pairs)
    assert average[0, 0] == 11.0 and average[0, 1] == 10.0
    assert average[1, 0] == 11.0 and average[2, 2] == 10.0


@pytest.fixture
def few_are_enough(monkeypatch):
    monkeypatch.setattr(references, "FEWEST_SUPERVISED", 6)


def test_supervised_network_is_trained_as_long(head_set, few_are_enough, monkeypatch):
    validation, test = (
        load_head_pairs(head_set, s, 16, CAMERA) for s in ("validation", "test")
    )
    asked = {}

    def train(pairs, steps, *, seed, name):
        asked.update(pairs=len(pairs), steps=steps, seed=seed, name=name)
        return None, [{"step": steps, "loss": 0.0}]

    monkeypatch.setattr(references, "train_depth_network", train)
    monkeypatch.setattr(
        references, "predict_depth", lambda network, pictures: (test.depth, test.mask)
    )
    scores = references.reference_scores(validation, test, 100, seed=7)
    assert asked == dict(pairs=6, steps=75, seed=7, name="supervised")
    assert scores["supervised"].errors["side"] == 0.0
    assert scores["supervised"].pairs == 6
    assert scores["flat"].errors["side"] > scores["average"].errors["side"] > 0.0
    table = ShapeReport({}, scores, {}).table()
    assert "supervised" in table and "needs" not in table
    asked.clear()
    assert "supervised" in references.reference_scores(validation, test, 2, seed=7)
    assert (asked["pairs"], asked["steps"]) == (2, 2)


def test_references_are_kept_for_the_same_heads_only(head_set, tmp_path, monkeypatch):
    validation, test = (
        load_head_pairs(head_set, s, 16, CAMERA) for s in ("validation", "test")
    )
    path = tmp_path / "references.json"
    first = references.cached_reference_scores(path, validation, test, 16, 0)
    monkeypatch.setattr(references, "reference_scores", None)
    assert references.cached_reference_scores(path, validation, test, 16, 0) == first
    with pytest.raises(UserError, match="other truth"):
        references.cached_reference_scores(path, test, test, 16, 0)
    with pytest.raises(UserError, match="other samples, seed"):
        references.cached_reference_scores(path, validation, test, 17, 1)


def _change_score(content, **changes):
    content["scores"]["flat"] |= changes


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda content: "[]", "does not hold a JSON object"),
        (lambda content: "{", "is not JSON"),
        (lambda content: content.update(made_of=[], scores={}), "holds no reference"),
        (lambda content: content.update(made_of=None), "holds no reference scores"),
        (lambda content: content.update(scores=[]), "holds no reference scores"),
        (lambda content: content.pop("scores"), "holds no reference scores"),
        (lambda content: content["scores"].update(flat=3), "holds no reference"),
        (lambda content: content["scores"]["flat"].pop("pairs"), "holds no reference"),
        (lambda content: _change_score(content, pairs="5"), "holds no reference"),
        (lambda content: _change_score(content, errors=[]), "holds no reference"),
        (lambda content: _change_score(content, training=3), "holds no reference"),
        (
            lambda content: content["scores"]["flat"]["errors"].pop("mad_std"),
            "holds no reference scores",
        ),
        (
            lambda content: content["scores"]["flat"]["errors"].update(side="0.1"),
            "holds no reference scores",
        ),
        (lambda content: content["made_of"].update(more=1), "with other more; name"),
    ],
)
def test_damaged_references_are_named(head_set, tmp_path, damage, fault):
    test = load_head_pairs(head_set, "test", 16, CAMERA)
    path = tmp_path / "references.json"
    references.cached_reference_scores(path, test, test, 16, 0)
    content = json.loads(path.read_text())
    text = damage(content)
    path.write_text(text if text in ("[]", "{") else json.dumps(content))
    with pytest.raises(UserError, match=f"^{path} .*{fault}") as error:
        references.cached_reference_scores(path, test, test, 16, 0)
    assert "\n" not in str(error.value)


def test_references_that_measured_nothing_are_kept(head_set, tmp_path, monkeypatch):
    test = load_head_pairs(head_set, "test", 16, CAMERA)
    nothing = DepthPairs(test.pictures, test.depth, 0 * test.mask > 0, CAMERA)
    path = tmp_path / "references.json"
    first = references.cached_reference_scores(path, nothing, nothing, 16, 0)
    assert math.isnan(first["flat"].errors["side"])
    assert json.loads(path.read_text())["scores"]["flat"]["errors"]["side"] is None
    monkeypatch.setattr(references, "reference_scores", None)
    again = references.cached_reference_scores(path, nothing, nothing, 16, 0)
    report = ShapeReport({}, again, {})
    assert report.table() == ShapeReport({}, first, {}).table()
    assert "nan" in report.table() and "NaN" not in report.to_json()


def test_sheet_shows_no_error_for_scaled_truth(head_set):
    test = load_head_pairs(head_set, "test", 16, CAMERA)
    depth = np.where(test.mask, 1.2 * test.depth, 12.0)
    sheet = shape_sheet(test, depth, test.mask, 2)
    assert error_cell(sheet, 0).max() == error_cell(sheet, 1).max() == 0
    # A bump that the truth does not have.
    row, column = np.argwhere(test.mask[0])[0]
    depth[0, row, column] *= 1.1
    sheet = shape_sheet(test, depth, test.mask, 2)
    shown = error_cell(sheet, 0)
    assert shown[row, column].min() == shown.max() == 255
    assert error_cell(sheet, 1).max() == 0


def error_cell(sheet, row):
    """The picture of errors, the last one of a row, 16 x 16 before it was enlarged."""
    top = 2 * FONT_SIZE + row * (SMALLEST_PICTURE + GUTTER)
    cell = sheet[top : top + SMALLEST_PICTURE, -SMALLEST_PICTURE - GUTTER : -GUTTER]
    return cell[::6, ::6]
