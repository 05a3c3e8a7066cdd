import numpy as np
import tensorflow as tf

from tf_unsup3d.models.discriminator import Discriminator, minibatch_deviation


def test_scores_each_picture():
    model = Discriminator(resolution=16, channel_base=64, channel_max=16)
    model.build([None, 16, 16, 3])
    pictures = tf.random.stateless_normal([8, 16, 16, 3], [1, 2])
    scores = model(pictures)
    assert scores.shape == (8,)
    assert np.std(scores) > 0.0
    twin = Discriminator.from_config(model.get_config())
    twin.build([None, 16, 16, 3])
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(scores, twin(pictures))


def test_minibatch_deviation_tells_copies_from_variety():
    pictures = tf.random.stateless_normal([1, 4, 4, 2], [1, 2])
    copies = minibatch_deviation(tf.tile(pictures, [8, 1, 1, 1]), 4)
    assert copies.shape == (8, 4, 4, 3)
    np.testing.assert_allclose(copies[..., 2], 1e-4, atol=1e-6)
    varied = tf.random.stateless_normal([8, 4, 4, 2], [3, 4])
    groups = varied.numpy().reshape(4, 2, 4, 4, 2)
    expected = np.tile(groups.std(0).mean((1, 2, 3)), 4)
    np.testing.assert_allclose(
        minibatch_deviation(varied, 4)[:, 0, 0, 2], expected, rtol=1e-4
    )


def test_growing_fades_from_smaller_pictures_to_larger_ones():
    model = Discriminator(
        resolution=32, channel_base=128, channel_max=8, start_resolution=8
    )
    model.build([None, 32, 32, 3])
    large = tf.random.stateless_normal([8, 32, 32, 3], [1, 2])
    small = tf.nn.avg_pool2d(large, 2, 2, "VALID")
    np.testing.assert_allclose(model(large, tf.constant(0.0)), model(small), atol=1e-5)
    np.testing.assert_allclose(model(large, tf.constant(1.0)), model(large), atol=1e-5)
    half = model(large, tf.constant(0.5))
    assert np.abs(half - model(small)).max() > 1e-3
    assert np.abs(half - model(large)).max() > 1e-3
    with tf.GradientTape() as tape:
        score = tf.reduce_sum(model(tf.nn.avg_pool2d(large, 4, 4, "VALID")))
    gradients = tape.gradient(score, model.first[0].trainable_variables)
    assert all(gradient is None for gradient in gradients)


def test_there_is_always_a_channel():
    model = Discriminator(resolution=16, channel_base=1, channel_max=1)
    model.build([None, 16, 16, 3])
    scores = model(tf.random.stateless_normal([4, 16, 16, 3], [1, 2]))
    assert np.std(scores) > 0.0
