"""A trained model in Python: of a run, published, or from the package."""

import dataclasses
import json
import math
import shutil

import numpy as np
import pytest
import tensorflow as tf

import tf_unsup3d
from tf_unsup3d.errors import UserError
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.trained_model import load


@pytest.fixture(scope="module")
def faces():
    return load("pretrained:faces64")


@pytest.fixture(scope="module")
def published(small_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    model = load(small_run)
    model_folder.publish(folder, model.generator, model.configuration, model.card)
    return folder


def test_the_package_offers_it():
    assert tf_unsup3d.load is load
    assert set(tf_unsup3d.__all__) <= set(dir(tf_unsup3d))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = tf_unsup3d.nothing


def test_two_models_of_different_configurations_live_side_by_side(small_run, faces):
    small = load(small_run)
    alone = small.draw(small.sample([3]))["picture"]
    other = faces.draw(faces.sample([3]))["picture"]
    assert alone.shape == (1, 16, 16, 3) and other.shape == (1, 64, 64, 3)
    np.testing.assert_array_equal(small.draw(small.sample([3]))["picture"], alone)
    assert len(small.mesh.triangles) != len(faces.mesh.triangles)
    assert small.viewpoints != faces.viewpoints


def test_a_run_is_drawn_as_it_was_trained(small_run):
    model = load(small_run)
    assert model.step == 1 and model.card["seed"] == 7
    assert model.resolution == 16
    assert model.renderer.get_config()["margin"] == 0.5
    assert model.camera == PinholeCamera()


def test_a_published_model_makes_the_same_but_for_rounding(small_run, published):
    trained, passed_on = load(small_run), load(published)
    assert passed_on.configuration == trained.configuration
    assert passed_on.step == trained.step
    scenes = [model.sample([0, 1], 1.0) for model in (trained, passed_on)]
    for first, second in zip(*scenes, strict=True):
        np.testing.assert_allclose(first, second, atol=5e-3)
        assert np.abs(first - second).max() > 0.0


def test_samples_are_numbered(faces):
    pair, single = faces.sample([4, 9]), faces.sample([9])
    np.testing.assert_allclose(pair.vertices[1], single.vertices[0], atol=1e-5)
    assert np.abs(pair.vertices[0] - pair.vertices[1]).max() > 0.01


def test_truncation_and_interpolation(faces):
    styles = faces.styles([4, 9], truncation_psi=1.0)
    np.testing.assert_allclose(
        faces.styles([4, 9], 0.0), np.repeat(faces.mean_style, 2, 0), atol=1e-6
    )
    halfway = faces.synthesize(0.5 * (styles[:1] + styles[1:]))
    ends = faces.synthesize(styles).vertices
    distances = np.abs(halfway.vertices - ends).mean((1, 2))
    assert distances.max() < np.abs(ends[0] - ends[1]).mean()


def test_a_graph_may_be_the_first_to_ask_for_the_mean_style(small_run):
    model = load(small_run)
    style = tf.ones([1, model.configuration.generator["style_size"]])
    truncated = tf.function(lambda: model.truncate(style, 0.5))()
    np.testing.assert_allclose(truncated, model.truncate(style, 0.5), atol=1e-6)


def test_views_turn_the_object(faces):
    scene = faces.sample([0])
    left = faces.draw(scene, yaw_degrees=40.0)["picture"]
    right = faces.draw(scene, yaw_degrees=-40.0)["picture"]
    assert np.abs(left - right).mean() > 0.05
    outputs = faces.draw(scene, outputs=("mask", "depth", "normals"))
    assert set(outputs) == {"mask", "depth", "normals"}
    inside = outputs["mask"][..., 0] > 0.99
    depth = outputs["depth"][..., 0][inside]
    assert np.all(np.abs(depth - faces.camera.distance) < 1.5)
    lengths = np.linalg.norm(outputs["normals"][inside], axis=-1)
    np.testing.assert_allclose(lengths, 1.0, atol=1e-4)


def test_any_size_and_camera(faces):
    scene = faces.sample([0])
    usual = faces.draw(scene, outputs=("mask",))["mask"]
    large = faces.draw(scene, resolution=128, outputs=("mask",))["mask"]
    assert large.shape == (1, 128, 128, 1)
    assert large.mean() == pytest.approx(usual.mean(), rel=0.02)


def test_a_wider_field_of_view_shows_the_object_smaller(faces):
    scene = faces.sample([0])

    def area(factor):
        slope = factor * math.tan(0.5 * faces.camera.field_of_view)
        camera = dataclasses.replace(faces.camera, field_of_view=2.0 * math.atan(slope))
        drawn = faces.draw(scene, resolution=256, camera=camera, outputs=("mask",))
        return drawn["mask"].mean()

    # Twice as wide at least, so that hair and neck are not cut off.
    assert area(4.0) == pytest.approx(0.25 * area(2.0), rel=0.05)


def test_no_objects_are_drawn_as_no_pictures(faces):
    scene = faces.sample([])
    assert faces.draw(scene)["picture"].shape == (0, 64, 64, 3)


def test_a_checkpoint_may_be_in_the_current_folder(small_run, monkeypatch):
    monkeypatch.chdir(small_run / "checkpoints")
    assert load("ckpt-1.npz").step == 1


def test_bad_folders_are_named(tmp_path, published):
    with pytest.raises(UserError, match="no pretrained model 'horses'; there are: "):
        load("pretrained:horses")
    with pytest.raises(UserError, match="no trained model in .*: there is no "):
        load(tmp_path)
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in published.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    for card in ("", "[]", "{}", '{"step": "three"}', '{"step": -1}'):
        (copy / "card.json").write_text(card)
        with pytest.raises(UserError, match=r"card\.json"):
            load(copy)
    (copy / "generator.npz").unlink()
    with pytest.raises(UserError, match="no checkpoint in"):
        load(copy)


@pytest.mark.parametrize(
    ("field", "fault"),
    [
        ({"step": "3"}, "step is '3'"),
        ({"data": 5}, "data must be a text"),
        ({"licence": ["a"]}, "licence must be a text"),
        ({"limits": 3}, "limits must be a list of texts"),
        ({"limits": [3]}, "limits must be a list of texts"),
        ({"scores": [1]}, "scores must hold"),
    ],
)
def test_cards_of_strangers_are_checked(published, tmp_path, field, fault):
    folder = tmp_path / "other"
    shutil.copytree(published, folder)
    path = folder / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **field}))
    with pytest.raises(UserError, match=rf"card\.json.*{fault}"):
        load(folder)


def test_damaged_checkpoints_are_named(small_run, tmp_path):
    copy = shutil.copytree(small_run, tmp_path / "run")
    older = copy / "checkpoints" / "ckpt-1.npz"
    newer = shutil.copy(older, copy / "checkpoints" / "ckpt-2.npz")
    newer.write_bytes(older.read_bytes()[:-1000])
    assert load(copy).step == 1
    older.write_bytes(b"")
    with pytest.raises(UserError, match="all 2 checkpoints in .* are damaged"):
        load(copy)


def test_a_strangers_configuration_runs_nothing(small_run, tmp_path):
    copy = tmp_path / "run"
    copy.mkdir()
    stamp = tmp_path / "ran"
    text = (small_run / "config.gin").read_text()
    for line in (
        f"from __gin__ import dynamic_registration\nimport os\nTrainer.viewpoints = "
        f"@os.system()\nos.system.command = 'touch {stamp}'\n",
        "import this\n",
    ):
        (copy / "config.gin").write_text(line + text)
        with pytest.raises(UserError, match=r"config\.gin.*refused"):
            load(copy)
    assert not stamp.exists()


def test_the_card_is_plain_json(published):
    card = json.loads((published / "card.json").read_text())
    assert card == {"step": 1, "pictures": 4, "seed": 7, "resolution": 16}
