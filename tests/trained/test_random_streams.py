import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.viewpoints import UniformViewpoints
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
