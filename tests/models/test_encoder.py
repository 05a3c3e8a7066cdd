import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.models.encoder import Encoder


def make(**arguments):
    encoder = Encoder(**{"resolution": 16, "channel_max": 8, **arguments})
    encoder.build([None, 16, 16, 3])
    return encoder


def test_estimates_have_the_sizes_asked_for():
    encoder = make(code_size=5, light_size=6)
    encoded = encoder(tf.zeros([2, 16, 16, 3]))
    assert [value.shape for value in encoded] == [
        (2, 5),
        (2, 3),
        (2, 3),
        (2, 6),
    ]
    assert make(light_size=0)(tf.zeros([1, 16, 16, 3])).light.shape == (1, 0)


def test_every_pixel_counts_and_pictures_do_not_mix():
    encoder = make()
    pictures = tf.random.stateless_normal([3, 16, 16, 3], [1, 2])
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        first = encoder(pictures).codes[0]
    gradient = tape.gradient(first, pictures).numpy()
    assert np.abs(gradient[0]).min(-1).min() > 0.0
    assert np.all(gradient[1:] == 0.0)


def test_default_weights_take_less_than_five_megabytes():
    encoder = Encoder()
    encoder.build([None, 64, 64, 3])
    count = sum(int(np.prod(variable.shape)) for variable in encoder.variables)
    assert 2 * count < 5e6


def test_config_round_trips():
    encoder = make(code_size=7)
    twin = Encoder.from_config(encoder.get_config())
    assert twin.get_config() == encoder.get_config()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(resolution=4), "resolution must be from 8 to 1024"),
        (dict(resolution=48), "resolution must be a power of two"),
        (dict(code_size=0), "code_size must be from 1"),
        (dict(light_size=-1), "light_size must be from 0"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Encoder(**arguments)
