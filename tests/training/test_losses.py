import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.training import losses


def test_gradient_penalty_is_the_squared_slope():
    slope = np.random.default_rng(0).normal(size=[4, 4, 3]).astype(np.float32)
    pictures = tf.random.stateless_normal([5, 4, 4, 3], [1, 2])
    penalty = losses.gradient_penalty(
        lambda x: tf.reduce_sum(x * slope, [1, 2, 3]), pictures
    )
    np.testing.assert_allclose(penalty, np.square(slope).sum(), rtol=1e-5)


def test_losses_of_known_scores():
    scores = tf.constant([0.0, 0.0])
    np.testing.assert_allclose(losses.generator_loss(scores), np.log(2.0), rtol=1e-6)
    np.testing.assert_allclose(
        losses.discriminator_loss(scores, scores), 2.0 * np.log(2.0), rtol=1e-6
    )
    assert losses.discriminator_loss(scores + 5.0, scores - 5.0) < 0.02


def test_folding_sees_an_inside_out_surface():
    mesh = octahedral_sphere(6)
    sphere = tf.constant(mesh.directions[None])
    stretched = sphere * [1.3, 0.7, 1.0]
    assert [float(value) for value in losses.folding(stretched, mesh)] == [0.0, 0.0]
    penalty, flipped = losses.folding(sphere * [1.0, 1.0, -1.0], mesh)
    # Mirrored normals face inwards where z * z < 1 / 2: on about 71% of the sphere.
    assert penalty > 0.2 and 0.65 < flipped < 0.8
