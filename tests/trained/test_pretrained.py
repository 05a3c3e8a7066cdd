"""The generators that come with the package."""

import numpy as np
import pytest

import tf_unsup3d
from tf_unsup3d.evaluation.alarms.limits import raised_alarms
from tf_unsup3d.evaluation.alarms.values import mean_values
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.discriminator_files import load_discriminator
from tf_unsup3d.trained.trained_model import load

NAMES = model_folder.pretrained_names()


def test_heads_and_faces_are_there():
    assert {"heads64", "faces64", "faces128"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_they_raise_no_alarm(name):
    model = load(f"pretrained:{name}")
    scene = model.sample(range(8), truncation_psi=1.0)
    assert not raised_alarms(mean_values(scene, model.renderer))
    assert model.step == model.card["step"] > 0


@pytest.mark.parametrize("name", NAMES)
def test_their_encoders_find_viewpoints(name):
    model = load(f"pretrained:{name}")
    pictures = model.draw(model.sample(range(16)), yaw_degrees=20.0)["picture"]
    found = tf_unsup3d.Reconstructor(model)(pictures, steps=0)
    errors = np.abs(found.viewpoints_degrees - [20.0, 0.0, 0.0])
    # Of single objects, those of yaw may be 12 degrees.
    assert np.all(np.median(errors, axis=0) < 4.0)


@pytest.mark.parametrize("name", NAMES)
def test_they_are_small(name):
    files = model_folder.find_folder(f"pretrained:{name}").iterdir()
    assert sum(path.stat().st_size for path in files) < 10e6


@pytest.mark.parametrize("name", ["faces64", "faces128"])
def test_discriminators_of_faces_know_which_way_up_they_are(name):
    model = load(f"pretrained:{name}")
    discriminator = load_discriminator(f"pretrained:{name}")
    # Of 1,024 objects, the difference is 0.6 or more; of 32, it may be 0.1 or 1.1.
    scores = np.zeros([2, 256])
    for seeds in np.split(np.arange(256), 8):
        pictures = model.draw(model.sample(seeds, truncation_psi=1.0))["picture"]
        for one, shown in zip(scores, (pictures, pictures[:, ::-1]), strict=True):
            one[seeds] = np.ravel(discriminator(shown))
    upright, turned = scores.mean(1)
    assert upright > turned + 0.3


def test_heads_have_better_depth_than_the_average():
    scores = load("pretrained:heads64").card["scores"]["shape"]["scores"]
    for measure in ("side", "mad"):
        of = {name: score["errors"][measure] for name, score in scores.items()}
        assert of["supervised"] < of["generator"] < of["average"]
