"""The shape evaluation: its references and its pairs."""

import gin
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.shape import measure as shape
from tf_unsup3d.evaluation.shape.pairs import DepthPairs, load_head_pairs, sample_pairs
from tf_unsup3d.evaluation.shape.sheet import shape_sheet
from tf_unsup3d.heads import storage
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.trained import runs

DISTANCE = PinholeCamera().distance


def test_heads_of_another_resolution_are_refused(head_set):
    with pytest.raises(UserError, match="of 16 pixels, but 32 are needed"):
        load_head_pairs(head_set, "test", 32)


def test_a_folder_without_a_run_is_named(trainer, tmp_path):
    with pytest.raises(UserError, match="config.gin"):
        runs.read_config(tmp_path)
    gin.clear_config()
    runs.read_config(trainer.model_dir)
    try:
        with pytest.raises(UserError, match="no checkpoint in .*empty"):
            runs.load_trainer(tmp_path / "empty")
    finally:
        gin.clear_config()


def test_head_pairs_belong_together(head_set):
    pairs = load_head_pairs(head_set, "test", 16)
    assert len(pairs) == 5
    truth = storage.load_truth(head_set, "test")
    np.testing.assert_array_equal(pairs.depth, truth.depth)
    path = storage.picture_dir(head_set, "test") / truth.names[3]
    with PIL.Image.open(path) as picture:
        np.testing.assert_array_equal(pairs.pictures[3], np.asarray(picture))


def test_a_missing_picture_is_named(head_set, tmp_path):
    path = storage.picture_dir(head_set, "test") / "000002.png"
    moved = path.rename(tmp_path / "away.png")
    try:
        with pytest.raises(UserError, match="000002.png"):
            load_head_pairs(head_set, "test", 16)
    finally:
        moved.rename(path)


def test_samples_come_from_the_viewpoints_of_the_run(trainer):
    seen = []

    class Recorded:
        def sample(self, batch, seed):
            views = trainer.viewpoints.sample(batch, seed)
            tf.py_function(lambda v: seen.append(v.numpy()), [views], [])
            return views

    def draw(viewpoints, count=20, seed=0):
        return sample_pairs(
            trainer.average, trainer.renderer, viewpoints, count, seed=seed
        )

    pairs = draw(Recorded())
    views = np.degrees(np.concatenate(seen))
    assert np.all(np.abs(views) <= [30.0, 10.0, 0.0]) and views[:, 0].std() > 8.0
    assert pairs.pictures.shape == (20, 16, 16, 3)
    assert pairs.pictures.dtype == np.uint8
    assert pairs.mask.any((1, 2)).all()
    assert np.abs(pairs.depth[pairs.mask] - DISTANCE).max() < 1.5
    again, other = draw(trainer.viewpoints), draw(trainer.viewpoints, seed=1)
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
    pairs = DepthPairs(np.zeros([100, 3, 3, 3], np.uint8), depth, mask)
    average = shape.average_depth(pairs)
    assert average[0, 0] == 11.0 and average[0, 1] == 10.0
    assert average[1, 0] == 11.0 and average[2, 2] == 10.0


@pytest.fixture
def few_are_enough(monkeypatch):
    monkeypatch.setattr(shape, "FEWEST_SUPERVISED", 6)


def test_supervised_network_is_trained_as_long(head_set, few_are_enough, monkeypatch):
    validation, test = (
        load_head_pairs(head_set, s, 16) for s in ("validation", "test")
    )
    asked = {}

    def train(pairs, steps, *, seed, name):
        asked.update(pairs=len(pairs), steps=steps, seed=seed, name=name)
        return None, [{"step": steps, "loss": 0.0}]

    monkeypatch.setattr(shape, "train_depth_network", train)
    monkeypatch.setattr(
        shape, "predict_depth", lambda network, pictures: (test.depth, test.mask)
    )
    scores = shape.reference_scores(validation, test, 100, seed=7)
    assert asked == dict(pairs=6, steps=75, seed=7, name="supervised")
    assert scores["supervised"].errors["side"] == 0.0
    assert scores["supervised"].pairs == 6
    assert scores["flat"].errors["side"] > scores["average"].errors["side"] > 0.0
    table = shape.ShapeReport({}, scores).table()
    assert "supervised" in table and "needs" not in table
    asked.clear()
    assert "supervised" in shape.reference_scores(validation, test, 2, seed=7)
    assert (asked["pairs"], asked["steps"]) == (2, 2)


def test_references_are_kept_for_the_same_heads_only(head_set, tmp_path, monkeypatch):
    validation, test = (
        load_head_pairs(head_set, s, 16) for s in ("validation", "test")
    )
    path = tmp_path / "references.json"
    first = shape.cached_reference_scores(path, validation, test, 16, 0)
    monkeypatch.setattr(shape, "reference_scores", None)
    assert shape.cached_reference_scores(path, validation, test, 16, 0) == first
    with pytest.raises(UserError, match="other truth"):
        shape.cached_reference_scores(path, test, test, 16, 0)
    with pytest.raises(UserError, match="other samples, seed"):
        shape.cached_reference_scores(path, validation, test, 17, 1)
    path.write_text("[]")
    with pytest.raises(UserError, match="holds no reference scores"):
        shape.cached_reference_scores(path, validation, test, 16, 0)


def test_sheet_shows_no_error_for_scaled_truth(head_set):
    test = load_head_pairs(head_set, "test", 16)
    depth = np.where(test.mask, 1.2 * test.depth, 12.0)
    sheet = shape_sheet(test, depth, test.mask, 2)
    # The column of errors stands at the right.
    assert sheet[40:, -100:].min(-1)[sheet[40:, -100:].max(-1) < 255].max() == 0
