import numpy as np
import tensorflow as tf

from tf_unsup3d.rendering.camera import PinholeCamera


def test_origin_is_in_the_middle_at_the_camera_distance():
    camera = PinholeCamera()
    x, y, z = camera.project(tf.zeros([3]), height=64, width=96).numpy()
    np.testing.assert_allclose([x / z, y / z], [48.0, 32.0], rtol=1e-6)
    np.testing.assert_allclose(z, camera.distance, rtol=1e-6)


def test_unit_ball_just_fits():
    camera = PinholeCamera()
    angles = np.linspace(0.0, 2.0 * np.pi, 721)
    ball = np.stack([np.cos(angles), 0.0 * angles, np.sin(angles)], -1)
    projected = camera.project(tf.constant(ball), 64, 64).numpy()
    x = projected[:, 0] / projected[:, 2]
    np.testing.assert_allclose([x.min(), x.max()], [0.0, 64.0], atol=2e-3)


def test_x_goes_right_and_y_goes_down():
    projected = PinholeCamera().project(tf.constant([[0.5, 0.25, 0.0]]), 64, 64)[0]
    x, y = (projected[:2] / projected[2]).numpy()
    assert x > 32.0 and y > 32.0 and x > y


def test_half_precision_is_projected_in_single():
    half = tf.constant([[0.5, 0.25, -0.125]], tf.bfloat16)
    projected = PinholeCamera().project(half, 48, 64)
    assert projected.dtype == tf.float32
    expected = PinholeCamera().project(tf.cast(half, tf.float32), 48, 64)
    np.testing.assert_array_equal(projected, expected)
