import importlib.util

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
