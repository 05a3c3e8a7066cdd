"""Trained models as SavedModels."""

import json
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tf_unsup3d.errors import UserError
from tf_unsup3d.export.saved_model import writing
from tf_unsup3d.export.saved_model.writing import export_saved_model
from tf_unsup3d.reconstruction.encoder_training import make_encoder
from tf_unsup3d.trained import encoder_files
from tf_unsup3d.trained.encoder_files import TrainedEncoder
from tf_unsup3d.trained.publishing import publish
from tf_unsup3d.trained.saved_model_folder import find_versions
from tf_unsup3d.trained.trained_model import load

SCENE = {
    "vertices": [None, 66, 3],
    "triangles": [None, 128, 3],
    "uv": [None, 69, 2],
    "uv_triangles": [None, 128, 3],
    "texture": [None, 16, 16, 3],
    "background": [None, 16, 16, 3],
    "style": [None, 8],
}
PICTURES = {
    "picture": [None, 16, 16, 3],
    "depth": [None, 16, 16],
    "normals": [None, 16, 16, 3],
    "mask": [None, 16, 16],
}
ANGLES = ["yaw_degrees", "pitch_degrees", "roll_degrees"]
MESH = ["vertices", "triangles", "uv", "uv_triangles", "texture"]
CAMERA = ["field_of_view_degrees", "pose", "height", "width"]
SIGNATURES = {
    "generate": (["seed", "truncation_psi"], SCENE),
    "generate_from_latent": (["latent", "truncation_psi"], SCENE),
    "map": (["latent", "truncation_psi"], {"style": [None, 8]}),
    "map_seed": (["seed", "truncation_psi"], {"style": [None, 8]}),
    "synthesize": (["style"], SCENE),
    "render": (["style", *ANGLES], PICTURES),
    "render_latent": (["latent", "truncation_psi", *ANGLES], PICTURES),
    "render_mesh": ([*MESH, *CAMERA], None),
}


@pytest.fixture(scope="module")
def model(small_run, tmp_path_factory):
    """A model with an encoder."""
    run = tmp_path_factory.mktemp("run") / "small"
    shutil.copytree(small_run, run)
    model = load(run)
    encoder = TrainedEncoder(make_encoder(model), {"steps": 0})
    encoder_files.write_encoder(run, encoder, model.generator)
    return model


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    """The folder of all versions, of which there is one."""
    folder = tmp_path_factory.mktemp("served") / "small"
    assert export_saved_model(model, folder) == folder / "1"
    return folder


@pytest.fixture(scope="module")
def signatures(folder):
    return tf.saved_model.load(str(folder / "1")).signatures


def test_signatures_have_their_names(signatures):
    assert set(signatures) == set(SIGNATURES)
    for name, (inputs, outputs) in SIGNATURES.items():
        _, arguments = signatures[name].structured_input_signature
        assert set(arguments) == set(inputs)
        for spec in arguments.values():
            assert spec.shape.as_list()[0] is None
        found = signatures[name].structured_outputs
        assert all(spec.name == key for key, spec in found.items())
        if outputs is not None:
            assert {k: v.shape.as_list() for k, v in found.items()} == outputs
    arguments = signatures["generate"].structured_input_signature[1]
    assert arguments["seed"].dtype == tf.int64


def test_stock_tensorflow_makes_the_same(model, folder, check_portable):
    check_portable(model, folder / "1")


def test_the_compiled_op_goes_along_if_wanted(model, tmp_path, run_in_stock_tensorflow):
    folder = export_saved_model(model, tmp_path / "small", 7, with_custom_op=True)
    extra = folder / "assets.extra"
    (library,) = extra.glob("*.so")
    assert library.name in (extra / "custom_op.md").read_text()
    styles = model.styles([3, 4]).numpy()
    zero = np.zeros([2], np.float32)
    inputs = {"style": styles, **dict.fromkeys(ANGLES, zero)}
    outputs = run_in_stock_tensorflow(folder, {("call", "render"): inputs}, library)
    expected = model.draw(model.synthesize(styles))["picture"]
    np.testing.assert_allclose(outputs["call"]["picture"], expected, atol=1e-5)


def square(**changes):
    """A square of two triangles that fills the middle of the picture."""
    inputs = {
        "vertices": [[[-0.5, -0.5, 0], [0.5, -0.5, 0], [-0.5, 0.5, 0], [0.5, 0.5, 0]]],
        "triangles": [[[0, 2, 1], [1, 2, 3]]],
        "uv": [[[0, 0], [1, 0], [0, 1], [1, 1]]],
        "uv_triangles": [[[0, 2, 1], [1, 2, 3]]],
        "texture": np.full([1, 2, 2, 3], 0.25),
        "field_of_view_degrees": [90],
        "pose": [[[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1]]],
        "height": [8],
        "width": [16],
    }
    whole = ("triangles", "uv_triangles", "height", "width")
    return {
        name: np.array(value, np.int32 if name in whole else np.float32)
        for name, value in {**inputs, **changes}.items()
    }


def test_a_mesh_of_ones_own_is_drawn(signatures):
    drawn = signatures["render_mesh"](**map_constants(square()))
    picture = drawn["picture"][0]
    assert picture.shape == (8, 16, 3)
    # The shorter side spans from -1 to 1 at the depth of 1.
    np.testing.assert_allclose(picture[3:5, 7:9], 0.25, atol=1e-6)
    np.testing.assert_array_equal(picture[:, :4], 0.0)
    assert float(tf.reduce_sum(drawn["mask"][0])) == pytest.approx(16, abs=9)
    np.testing.assert_allclose(drawn["depth"][0, 3:5, 7:9], 1.0, atol=1e-6)
    front = np.broadcast_to(np.float32([0, 0, -1]), [2, 2, 3])
    np.testing.assert_allclose(drawn["normals"][0, 3:5, 7:9], front, atol=1e-6)


def map_constants(inputs):
    return {name: tf.constant(value) for name, value in inputs.items()}


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"height": [0]}, "height must be from 1 to 8192"),
        ({"width": [10_000]}, "width must be from 1 to 8192"),
        ({"field_of_view_degrees": [180]}, "must be between 0 and 180"),
        ({"vertices": np.full([1, 4, 3], np.nan)}, "must be finite"),
        ({"triangles": [[[0, 2, 1], [1, 2, 4]]]}, "not in"),
        (
            {"triangles": [[[0, 2, 1]] * 3], "uv_triangles": [[[0, 2, 1]] * 3]},
            "an edge has more than two triangles",
        ),
    ],
)
def test_a_bad_mesh_is_an_invalid_argument(changes, message, signatures):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        signatures["render_mesh"](**map_constants(square(**changes)))


def test_pictures_of_a_batch_have_one_size(signatures):
    pair = {name: np.repeat(value, 2, 0) for name, value in square().items()}
    pair["height"][1] = 9
    with pytest.raises(tf.errors.InvalidArgumentError, match="height must be the same"):
        signatures["render_mesh"](**map_constants(pair))


def test_warmup_requests_are_those_of_tensorflow_serving(folder, signatures):
    path = folder / "1" / "assets.extra" / "tf_serving_warmup_requests"
    called = []
    for record in tf.data.TFRecordDataset(str(path)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        assert log.WhichOneof("log_type") == "predict_log"
        request = log.predict_log.request
        assert request.model_spec.name == "small"
        name = request.model_spec.signature_name
        inputs = {
            name: tf.constant(tf.make_ndarray(value))
            for name, value in request.inputs.items()
        }
        signatures[name](**inputs)
        called.append(name)
    assert sorted(called) == sorted(SIGNATURES)


def test_the_whole_model_is_in_it(model, folder):
    for source in (folder, folder / "1"):
        loaded = load(source)
        assert loaded.configuration == model.configuration
        assert loaded.card == model.card
        assert loaded.encoder.card == model.encoder.card
        scenes = (each.sample([0, 5], 0.8) for each in (loaded, model))
        for one, other in zip(*scenes, strict=True):
            np.testing.assert_array_equal(one, other)


def test_what_it_says_of_itself(model, folder):
    extra = folder / "1" / "assets.extra"
    description = json.loads((extra / "model.json").read_text())
    assert description["name"] == "small" and description["version"] == 1
    assert description["vertices"] == 66 and description["resolution"] == 16
    assert description["texture_coordinates"] == 69
    assert description["pivot"] == list(model.renderer.pivot)
    card = (extra / "model_card.md").read_text()
    for title in ("Model", "Data", "Scores", "Limits", "Licence"):
        assert f"\n## {title}\n" in card
    assert "4 pictures in 1 steps" in card


def test_the_card_shows_scores(model):
    card = {
        "step": 3,
        "data": "Pictures of cats.",
        "scores": {
            "shape": {"settings": {"seed": 5}, "side": 0.12345, "ok": True},
            "forged": {"number": 10**400},
        },
    }
    scored = type(model)(model.generator, model.configuration, 3, card)
    text = writing.format_model_card(scored, "cats")
    assert "Pictures of cats." in text
    assert "| shape/side | 0.1235 |" in text
    assert "settings" not in text and "| shape/ok" not in text


def test_what_is_odd_about_a_model_is_said(model, tmp_path, monkeypatch, caplog):
    """An encoder of no use, a card and a folder that UTF-8 cannot write."""
    source = tmp_path / "source"
    publish(model.folder, source, {})
    path = source / "encoder.npz"
    path.write_bytes(path.read_bytes()[:100])
    odd = load(source)
    odd.card["licence"] = "\udcff"
    monkeypatch.setattr(tf.saved_model, "save", lambda *_: None)
    monkeypatch.setattr(writing, "write_warmup_requests", lambda *_: None)
    folder = export_saved_model(odd, tmp_path / "small")
    assert "the encoder is left out: " in caplog.text
    extra = folder / "assets.extra"
    assert not (extra / "encoder.json").exists()
    assert r"\udcff" in (extra / "model_card.md").read_text()
    other = tmp_path / b"\xff".decode(errors="surrogateescape")
    with pytest.raises(UserError, match="cannot write .*udcff.*TensorFlow takes only"):
        export_saved_model(model, other)


def test_versions_are_never_overwritten_and_appear_whole(model, tmp_path, monkeypatch):
    folder = tmp_path / "small"
    (folder / "4").mkdir(parents=True)
    with pytest.raises(UserError, match="4 exists: a version is never overwritten"):
        export_saved_model(model, folder, 4)

    def save(_, path, *rest):
        # Nothing that a server would take for a version.
        assert sorted(p.name for p in folder.glob("[1-9]*")) == present
        (pathlib.Path(path) / "saved_model.pb").touch()
        if failure:
            raise failure

    monkeypatch.setattr(tf.saved_model, "save", save)
    present, failure = ["4"], OSError(28, "No space left on device")
    with pytest.raises(UserError, match="cannot write .*5: No space left on device"):
        export_saved_model(model, folder, 5)
    failure = tf.errors.ResourceExhaustedError(None, None, "No space left")
    with pytest.raises(UserError, match="cannot write .*5: No space left"):
        export_saved_model(model, folder, 5)
    assert [path.name for path in folder.iterdir()] == present
    failure = None
    assert export_saved_model(model, folder, 12).name == "12"
    (folder / "013").mkdir()
    (folder / "013" / "saved_model.pb").touch()
    assert find_versions(folder) == [12]
    present = ["12", "4"]
    assert export_saved_model(model, folder).name == "13"
