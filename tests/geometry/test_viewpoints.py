import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.geometry import viewpoints


def turn(point, yaw=0.0, pitch=0.0, roll=0.0):
    rotation = viewpoints.rotation_matrices(tf.constant([[yaw, pitch, roll]]))
    return viewpoints.rotate(tf.constant([[point]]), rotation)[0, 0].numpy()


def test_signs_are_as_written_down():
    nose, right = [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]
    assert turn(nose, yaw=0.3)[0] < 0.0
    assert turn(nose, pitch=0.3)[1] > 0.0
    assert turn(right, roll=0.3)[1] > 0.0


def test_order_is_yaw_then_pitch_then_roll():
    angles = (0.5, -0.3, 0.2)
    together = viewpoints.rotation_matrices(tf.constant([angles]))[0].numpy()
    steps = np.eye(3)
    for axis, angle in enumerate(angles):
        single = np.zeros((1, 3), np.float32)
        single[0, axis] = angle
        steps = viewpoints.rotation_matrices(tf.constant(single))[0].numpy() @ steps
    np.testing.assert_allclose(together, steps, atol=1e-6)
    np.testing.assert_allclose(together @ together.T, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(together), 1.0, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [[3], [7, 3], [2, 5, 3]], ids=str)
def test_rotations_are_those_of_tensorflow_graphics(dtype, shape):
    from tensorflow_graphics.geometry.transformation import rotation_matrix_3d

    angles = np.random.default_rng(0).uniform(-4.0, 4.0, shape).astype(dtype)
    yaw, pitch, roll = np.moveaxis(angles, -1, 0)
    zero = np.zeros_like(yaw)
    # Its Euler angles turn about x, then y, then z.
    first = rotation_matrix_3d.from_euler(np.stack([zero, yaw, zero], -1))
    then = rotation_matrix_3d.from_euler(np.stack([pitch, zero, roll], -1))
    found = viewpoints.rotation_matrices(tf.constant(angles))
    assert found.dtype == dtype
    tolerance = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(found, tf.matmul(then, first), atol=tolerance)


def test_uniform_fills_its_limits_and_repeats():
    distribution = viewpoints.UniformViewpoints((60.0, 15.0, 0.0))
    drawn = distribution.sample(4000, seed=[1, 2]).numpy()
    np.testing.assert_array_equal(drawn, distribution.sample(4000, seed=[1, 2]))
    assert np.all(np.abs(drawn) <= np.radians(distribution.limits) + 1e-6)
    np.testing.assert_allclose(
        drawn.std(0), np.radians([60.0, 15.0, 0.0]) / np.sqrt(3.0), rtol=0.05
    )


def test_gaussian_is_truncated():
    distribution = viewpoints.GaussianViewpoints((20.0, 8.0, 1.0))
    drawn = distribution.sample(4000, seed=[3, 4]).numpy()
    assert np.all(np.abs(drawn) <= np.radians(distribution.limits) + 1e-6)
    # A normal distribution cut at two deviations has 0.8796 of the deviation.
    np.testing.assert_allclose(
        drawn.std(0), 0.8796 * np.radians([20.0, 8.0, 1.0]), rtol=0.05
    )


@pytest.mark.parametrize(
    "kind", [viewpoints.UniformViewpoints, viewpoints.GaussianViewpoints]
)
def test_scaled_distributions_keep_their_kind(kind):
    class Own(kind):
        """What a user may add."""

    scaled = Own((60.0, 15.0, 2.0)).scaled([0.5, 2.0, 100.0])
    assert scaled == Own((30.0, 30.0, 180.0))
