"""The learned spread of the viewpoints."""

import numpy as np
import tensorflow as tf

from tf_unsup3d.models.generator import Generator
from tf_unsup3d.models.viewpoint_spread import ViewpointSpread


def test_spread_begins_at_two_and_is_bounded():
    layer = ViewpointSpread()
    layer.build()
    np.testing.assert_allclose(layer(tf.ones([3])), [2.0, 2.0, 2.0], rtol=1e-6)
    for value, bound in ((1e3, 4.0), (-1e3, 0.25)):
        layer.weight.assign([value, 0.0, 0.0])
        np.testing.assert_allclose(layer(tf.ones([3])), [bound, 1.0, 1.0], rtol=1e-5)


def test_gradient_descent_finds_the_spread_of_given_angles():
    layer = ViewpointSpread()
    layer.build()
    angles = tf.random.stateless_normal([256, 3], [0, 0])
    wanted = tf.constant([1.5, 0.5, 1.0])
    for _ in range(200):
        with tf.GradientTape() as tape:
            error = layer(angles) - wanted * angles
            loss = tf.reduce_mean(tf.square(error))
        gradient = tape.gradient(loss, layer.weight)
        layer.weight.assign_sub(0.5 * gradient)
    np.testing.assert_allclose(layer(tf.ones([3])), wanted, atol=0.01)


def test_only_a_generator_that_learns_viewpoints_has_a_weight_for_them():
    sizes = dict(
        latent_size=4,
        style_size=4,
        mapping_depth=1,
        texture_resolution=8,
        background_resolution=8,
        shape_resolution=8,
        shape_map_size=8,
        channel_max=4,
        subdivisions=4,
    )
    fixed, learning = Generator(**sizes), Generator(**sizes, learn_viewpoints=True)
    for generator, factor in ((fixed, 1.0), (learning, 2.0)):
        generator.build([None, 4])
        np.testing.assert_allclose(generator.viewpoint_spread(), [factor] * 3)
    assert len(learning.trainable_variables) == len(fixed.trainable_variables) + 1
