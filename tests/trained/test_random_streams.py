import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.compat import variable_name
from tf_unsup3d.geometry.portrait_viewpoints import PortraitViewpoints
from tf_unsup3d.geometry.viewpoints import UniformViewpoints
from tf_unsup3d.models.batch_part import BatchPart
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.random_streams import (
    latents_of_seeds,
    random_scenes,
    random_views,
)


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
        drawn = random_scenes(generator, PortraitViewpoints(), 3, key)
        return [*drawn.scene, drawn.viewpoints, drawn.light_seed, drawn.framing.scale]

    for first, again, other in zip(draw(1, 2), draw(1, 2), draw(1, 3), strict=True):
        np.testing.assert_array_equal(first, again)
        assert np.any(first != other)


def test_spread_comes_before_the_alignment():
    views, seed = PortraitViewpoints((20.0, 8.0, 0.0)), tf.constant([1, 2])
    drawn = random_views(views, 5, seed, spread=tf.constant([0.5, 2.0, 1.0]))
    expected, scale = views.align(views.sample(5, seed) * [0.5, 2.0, 1.0])
    np.testing.assert_allclose(drawn.viewpoints, expected, atol=1e-6)
    np.testing.assert_allclose(drawn.framing.scale, scale, rtol=1e-6)
    np.testing.assert_array_equal(drawn.framing.shift, np.zeros([5, 2]))


def test_pictures_that_are_not_aligned_are_framed_by_the_camera():
    views, seed = UniformViewpoints(), tf.constant([1, 2])
    drawn = random_views(views, 5, seed)
    np.testing.assert_array_equal(drawn.viewpoints, views.sample(5, seed))
    assert drawn.framing is None


@pytest.mark.parametrize("style_mixing", [0.0, 0.5])
def test_parts_have_the_scenes_of_the_batch(small_bindings, style_mixing):
    generator = Configuration.from_files([], small_bindings).make_generator()
    for weight in generator.variables:
        if "noise_strengths" in variable_name(weight):
            weight.assign(tf.ones_like(weight))
    key = tf.constant([3, 4], tf.int64)

    def draw(part, key=key):
        return random_scenes(
            generator, PortraitViewpoints(), 8, key, None, part, style_mixing
        )

    whole = draw(BatchPart())
    for index in range(2):
        part = BatchPart(index, 2, group_size=2)
        drawn = draw(part)
        np.testing.assert_array_equal(drawn.light_seed, whole.light_seed)
        np.testing.assert_allclose(
            drawn.viewpoints, part.of(whole.viewpoints), atol=1e-6
        )
        scale = part.of(whole.framing.scale)
        np.testing.assert_allclose(drawn.framing.scale, scale, rtol=1e-6)
        for found, expected in zip(drawn.scene, whole.scene, strict=True):
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
