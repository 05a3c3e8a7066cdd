import importlib.util
import sys
import types

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation import packages
from tf_unsup3d.evaluation.identity import face_network as module
from tf_unsup3d.evaluation.identity.face_network import face_network
from tf_unsup3d.evaluation.identity.similarity import SAME_PERSON
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.trained.random_streams import latents_of_seeds
from tf_unsup3d.trained.trained_model import load


def test_without_the_packages_the_extra_is_named(monkeypatch, tmp_path):
    extra = r"pip install 'tf-unsup3d\[metrics\]'"
    with monkeypatch.context() as patched:
        patched.setattr(packages.importlib.util, "find_spec", lambda name: None)
        with pytest.raises(UserError, match=f"face-recognition-models: {extra}"):
            face_network()

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(module, "package_file", lambda *_: tmp_path)
    monkeypatch.setattr(module.importlib, "import_module", missing)
    with pytest.raises(UserError, match=f"dlib-bin: {extra}"):
        face_network()


def test_faces_are_cut_out_of_enlarged_portraits(monkeypatch):
    calls = []

    def note(name, answer):
        def called(*arguments):
            calls.append((name, *arguments))
            return answer

        return called

    dlib = types.SimpleNamespace(
        rectangle=lambda *corners: corners,
        shape_predictor=lambda path: note(("points", path), "points"),
        get_face_chip=note("chip", "chip"),
        face_recognition_model_v1=lambda path: types.SimpleNamespace(
            compute_face_descriptor=lambda chip: (
                calls.append((("descriptor", path), chip)) or [len(calls)] * 128
            )
        ),
    )
    monkeypatch.setitem(sys.modules, "dlib", dlib)
    monkeypatch.setattr(module, "package_file", lambda package, name, *_: name)
    portraits = np.random.default_rng(0).integers(0, 256, [2, 64, 64, 3], np.uint8)
    descriptors = face_network()(portraits)
    assert descriptors.dtype == np.float64
    # In the order of the portraits, of three calls each.
    np.testing.assert_array_equal(descriptors, np.float64([[3] * 128, [6] * 128]))
    points = "points", "models/shape_predictor_5_face_landmarks.dat"
    descriptor = "descriptor", "models/dlib_face_recognition_resnet_model_v1.dat"
    for index, portrait in enumerate(portraits):
        (found, enlarged, box), chip, described = calls[3 * index : 3 * index + 3]
        assert found == points and box == (50, 81, 205, 236)
        assert enlarged.shape == (256, 256, 3) and enlarged.dtype == np.uint8
        small = enlarged.reshape(64, 4, 64, 4, 3).mean((1, 3))
        assert np.abs(small - portrait).mean() < 20.0
        assert chip[0] == "chip" and chip[1] is enlarged
        assert chip[2:] == ("points", 150, 0.25)
        assert described == (descriptor, "chip")


@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("dlib", "face_recognition_models"))),
    reason="dlib-bin and face-recognition-models are not installed",
)
def test_turned_faces_stay_the_same_person():
    model = load("pretrained:faces64")
    scene = model.generator(latents_of_seeds(range(3), model.generator.latent_size))
    views = [
        to_uint8(
            model.renderer(scene, tf.constant([[yaw, 0.0, 0.0]] * 3))["picture"].numpy()
        )
        for yaw in (0.0, 0.4)
    ]
    front, turned = map(face_network(), views)
    assert front.shape == (3, 128)
    same = np.linalg.norm(front - turned, axis=-1)
    other = np.linalg.norm(front - np.roll(turned, 1, 0), axis=-1)
    assert same.max() < 0.9 * min(SAME_PERSON, other.min())
