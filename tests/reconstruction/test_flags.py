import numpy as np
import pytest
import tensorflow as tf

from tests.reconstruction.conftest import FIT_STEPS
from tf_unsup3d.errors import UserError
from tf_unsup3d.reconstruction.flags import (
    MEASURES,
    Flag,
    limits_of,
    limits_on_card,
    measure_fits,
    raise_flags,
)
from tf_unsup3d.reconstruction.samples import draw_samples


def test_measures_of_known_pictures():
    picture = np.zeros([1, 4, 4, 3])
    picture[:, :2] = 1.0
    backdrop = np.zeros_like(picture)
    measures = measure_fits(
        picture,
        fits=picture - 0.1,
        masks=np.ones([1, 4, 4, 1]),
        backdrops=backdrop,
        codes=np.full([1, 8], -2.0),
    )
    assert set(measures) == set(MEASURES)
    assert measures["error"][0] == pytest.approx(0.05)
    assert measures["unexplained"][0] == pytest.approx(0.2)
    assert measures["style_distance"][0] == pytest.approx(2.0)
    # What is added everywhere is no feature.
    assert measures["mismatch"][0] == pytest.approx(0.0, abs=1e-6)
    assert measures["faintness"][0] == pytest.approx(4.0)


def test_a_uniform_picture_leaves_everything_unexplained():
    wall = np.full([1, 4, 4, 3], 0.3)
    measures = measure_fits(
        wall, wall + 0.1, np.ones([1, 4, 4, 1]), wall + 0.1, np.zeros([1, 8])
    )
    assert measures["unexplained"][0] > 5.0 and measures["faintness"][0] > 100.0
    assert measures["mismatch"][0] == pytest.approx(1.0)


def test_features_are_compared_within_the_object():
    random = np.random.default_rng(0)
    pictures = random.uniform(-1.0, 1.0, [3, 16, 16, 3])
    masks = np.zeros([3, 16, 16, 1])
    masks[:, 3:13, 3:13] = 1.0
    elsewhere = random.uniform(-1.0, 1.0, [16, 16, 3])
    fits = np.stack(
        [
            # The same object, fainter, in front of something else.
            np.where(masks[0] > 0.0, 0.5 * pictures[0], elsewhere),
            # Another object in front of the same background.
            np.where(masks[1] > 0.0, elsewhere, pictures[1]),
            -pictures[2],
        ]
    )
    codes = np.zeros([3, 8])
    found = measure_fits(pictures, fits, masks, pictures, codes)["mismatch"]
    assert found[0] < 0.1 and found[1] == pytest.approx(1.0, abs=0.2)
    assert found[2] == pytest.approx(2.0)


def test_limits_are_above_nearly_all_held_out_values():
    values = np.linspace(0.0, 1.0, 101)
    limits = limits_of(dict.fromkeys(MEASURES, values))
    assert limits["error"] == pytest.approx(1.15 * 0.98)


def test_flags_name_measure_value_and_limit():
    measures = {name: np.array([0.5, 2.0, np.nan]) for name in MEASURES}
    limits = dict.fromkeys(MEASURES, 3.0) | {"error": 1.0}
    explained, flagged, broken = raise_flags(measures, limits)
    assert explained == ()
    assert flagged == (Flag("error", 2.0, 1.0),)
    assert str(flagged[0]) == ("the fit differs from the picture: error 2 is above 1")
    # What is not a number explains nothing.
    assert len(broken) == len(MEASURES)


def test_limits_for_a_number_of_steps():
    limits = {"0": dict.fromkeys(MEASURES, 9), "50": dict.fromkeys(MEASURES, 5)}
    card = {"limits": limits}
    assert limits_on_card(card, 0)["error"] == 9.0
    assert limits_on_card(card, 50)["error"] == limits_on_card(card, 99)["error"] == 5.0
    between = 9.0 - 4.0 * np.log(11.0) / np.log(51.0)
    assert limits_on_card(card, 10)["error"] == pytest.approx(between)


@pytest.mark.parametrize("limits", [None, {}, {"0": {}}, {"0": 3}, {"a": {}}, []])
def test_a_card_without_limits_is_named(limits):
    with pytest.raises(UserError, match="card of the encoder does not hold all limits"):
        limits_on_card({"limits": limits}, 10)


def test_own_samples_are_explained_and_other_pictures_flagged(model, reconstructor):
    held_out = draw_samples(model, 40, tf.constant([8, 8], tf.int64)).pictures.numpy()
    flags = reconstructor(held_out, steps=FIT_STEPS).flags
    assert sum(map(bool, flags)) <= 4
    random = np.random.default_rng(0)
    rows = np.arange(16)[:, None, None] * np.ones([1, 16, 3])
    others = {
        "noise": random.uniform(-1.0, 1.0, [16, 16, 3]),
        "wall": np.full([16, 16, 3], 0.3) + random.normal(0.0, 0.01, [16, 16, 3]),
        "stripes": np.where(rows % 4 < 2, 0.9, -0.9),
        "tiles": np.where((rows + rows.swapaxes(0, 1)) % 4 < 2, 0.9, -0.9),
    }
    found = reconstructor(np.stack(list(others.values())), steps=FIT_STEPS)
    for name, flags in zip(others, found.flags, strict=True):
        assert flags, name
        assert all(flag.value > flag.limit for flag in flags)
