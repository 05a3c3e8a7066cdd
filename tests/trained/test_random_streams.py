import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.compat import variable_name
from tf_unsup3d.geometry.viewpoints import UniformViewpoints
from tf_unsup3d.models.batch_part import BatchPart
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.random_streams import latents_of_seeds, random_scenes


def test_latents_depend_on_their_own_seed_alone():
    both, single = latents_of_seeds([3, 8], 16), latents_of_seeds([8], 16)
    np.testing.assert_array_equal(both[1:], single)
    assert np.any(both[0] != both[1])


def test_latents_are_those_of_a_stock_op_in_a_graph_too():
    seeds = [0, 7, 2**40]
    drawn = latents_of_seeds(seeds, 8)
    for seed, latent in zip(seeds, drawn, strict=True):
        expected = tf.random.stateless_normal([8], tf.constant([seed, 0], tf.int64))
        np.testing.assert_array_equal(latent, expected)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64)])
    def draw(seeds):
        return latents_of_seeds(seeds, 8)

    np.testing.assert_array_equal(draw(tf.constant(seeds, tf.int64)), drawn)


def test_the_same_key_gives_the_same_scenes(small_bindings):
    generator = Configuration.from_files([], small_bindings).make_generator()

    def draw(*key):
        key = tf.constant(key, tf.int64)
        scene, views, light = random_scenes(generator, UniformViewpoints(), 3, key)
        return [*scene, views, light]

    for first, again, other in zip(draw(1, 2), draw(1, 2), draw(1, 3), strict=True):
        np.testing.assert_array_equal(first, again)
        assert np.any(first != other)


@pytest.mark.parametrize("style_mixing", [0.0, 0.5])
def test_parts_have_the_scenes_of_the_batch(small_bindings, style_mixing):
    generator = Configuration.from_files([], small_bindings).make_generator()
    for weight in generator.variables:
        if "noise_strengths" in variable_name(weight):
            weight.assign(tf.ones_like(weight))
    key = tf.constant([3, 4], tf.int64)

    def draw(part, key=key):
        return random_scenes(
            generator, UniformViewpoints(), 8, key, None, part, style_mixing
        )

    whole = draw(BatchPart())
    for index in range(2):
        part = BatchPart(index, 2, group_size=2)
        scene, views, light = draw(part)
        np.testing.assert_array_equal(views, part.of(whole.viewpoints))
        np.testing.assert_array_equal(light, whole.light_seed)
        for found, expected in zip(scene, whole.scene, strict=True):
            np.testing.assert_allclose(found, part.of(expected), atol=1e-5)


def test_mixed_styles_change_fine_levels_only(small_bindings):
    configuration = Configuration.from_files([], small_bindings)
    generator = configuration.make_generator()
    key = tf.constant([3, 4], tf.int64)

    def draw(probability):
        return random_scenes(
            generator, UniformViewpoints(), 32, key, style_mixing=probability
        ).scene

    plain, all_mixed, some_mixed = draw(0.0), draw(1.0), draw(0.5)
    changed = np.any(all_mixed.texture != plain.texture, (1, 2, 3))
    assert changed.all()
    assert 4 < np.any(some_mixed.texture != plain.texture, (1, 2, 3)).sum() < 28
    # From the second of three levels on; shapes have two.
    same_shape = np.isclose(all_mixed.vertices, plain.vertices, atol=1e-6).all((1, 2))
    assert 4 < same_shape.sum() < 28
