"""Models as `.keras` files."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.models.discriminator import Discriminator
from tf_unsup3d.models.generator import Generator


def _save_and_load(model, path):
    model.save(path)
    # The classes are registered, so that Keras needs no custom objects.
    return keras.models.load_model(path)


@pytest.mark.parametrize("symmetric_texture", [False, True])
def test_generator(symmetric_texture, tmp_path):
    generator = Generator(
        latent_size=16,
        style_size=12,
        mapping_depth=2,
        texture_resolution=16,
        background_resolution=8,
        shape_resolution=8,
        shape_map_size=16,
        level_weights=(0.05, 0.03),
        subdivisions=4,
        symmetric_texture=symmetric_texture,
        channel_base=64,
        channel_max=16,
    )
    latents = tf.random.stateless_normal([3, 16], [1, 2])
    expected = generator(latents)
    loaded = _save_and_load(generator, tmp_path / "generator.keras")
    assert type(loaded) is Generator
    assert loaded.get_config() == generator.get_config()
    for one, other in zip(loaded(latents), expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("start_resolution", [0, 8])
def test_discriminator(start_resolution, tmp_path):
    discriminator = Discriminator(
        resolution=16,
        channel_base=64,
        channel_max=16,
        start_resolution=start_resolution,
    )
    pictures = tf.random.stateless_normal([4, 16, 16, 3], [1, 2])
    expected = discriminator(pictures)
    loaded = _save_and_load(discriminator, tmp_path / "discriminator.keras")
    assert type(loaded) is Discriminator
    assert loaded.get_config() == discriminator.get_config()
    np.testing.assert_array_equal(loaded(pictures), expected)
