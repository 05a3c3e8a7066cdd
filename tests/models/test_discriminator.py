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
