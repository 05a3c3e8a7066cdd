import numpy as np
import tensorflow as tf

from tests.reconstruction.conftest import SIZES
from tf_unsup3d.reconstruction.encoder_training import train_encoder
from tf_unsup3d.reconstruction.samples import draw_samples


def test_errors_fall_on_held_out_samples(encoder):
    first, *_, last = encoder.card["errors"]
    assert last["step"] == encoder.card["steps"]
    assert last["codes"] < 0.95 * first["codes"] and first["codes"] < 1.2
    assert last["viewpoints"] < 0.95 * first["viewpoints"]
    assert last["light"] < first["light"]
    assert last["framing"] < first["framing"]


def test_training_is_repeatable(model):
    first, again = (train_encoder(model, 2, seed=3, **SIZES)[0] for _ in range(2))
    for one, two in zip(first.variables, again.variables, strict=True):
        np.testing.assert_array_equal(one, two)


def test_views_of_an_object_share_its_code(model):
    samples = draw_samples(model, 2, tf.constant([1, 2], tf.int64), views=3)
    assert samples.pictures.shape == (6, 16, 16, 3)
    np.testing.assert_array_equal(samples.codes[0], samples.codes[2])
    assert np.abs(samples.codes[2] - samples.codes[3]).max() > 0.01
    for values in (samples.viewpoints, samples.light):
        assert np.abs(values[0] - values[1]).max() > 0.01
    assert np.all(np.abs(samples.viewpoints) <= np.radians([30.0, 10.0, 0.0]) + 1e-6)
