import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.rendering.background import crop_background
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.rendering.scene import Scene


def ball(radius=0.5):
    vertices = tf.constant(radius * octahedral_sphere(16).directions[None])
    return Scene(vertices, tf.ones([1, 8, 8, 3]), -tf.ones([1, 16, 16, 3]))


def test_ball_before_its_background():
    renderer = Renderer(resolution=32, subdivisions=16)
    pictures, masks = renderer(ball(), tf.zeros([1, 3]))
    np.testing.assert_allclose(pictures[0, 16, 16], 1.0, atol=1e-6)
    np.testing.assert_allclose(pictures[0, 0, 0], -1.0, atol=1e-6)
    assert 0.15 < float(tf.reduce_mean(masks)) < 0.25
    # Soft pixels mix object and background by the mask.
    np.testing.assert_allclose(pictures[..., 0], 2.0 * masks[..., 0] - 1.0, atol=1e-5)


def test_maps_of_a_ball_are_its_geometry():
    renderer = Renderer(resolution=32, subdivisions=16)
    normals, depth, mask = renderer.maps(ball(), tf.zeros([1, 3]))
    np.testing.assert_allclose(normals[0, 16, 16, 2], -1.0, atol=0.01)
    expected = renderer.camera.distance - 0.5
    np.testing.assert_allclose(depth[0, 16, 16, 0], expected, atol=0.01)
    assert float(mask[0, 0, 0, 0]) == 0.0 and float(depth[0, 0, 0, 0]) == 0.0


def test_config_round_trip():
    renderer = Renderer(resolution=16, subdivisions=4, margin=0.5)
    twin = Renderer.from_config(renderer.get_config())
    assert twin.get_config() == renderer.get_config()


def test_background_moves_against_the_near_side():
    ramp = tf.linspace(-1.0, 1.0, 64)
    horizontal = tf.tile(ramp[None, None, :, None], [3, 64, 1, 3])
    vertical = tf.transpose(horizontal, [0, 2, 1, 3])
    angles = tf.constant([[-0.5, -0.2, 0.0], [0.0, 0.0, 0.0], [0.5, 0.2, 0.0]])
    left, middle, right = (
        crop_background(horizontal, angles, (1.0, 0.4), 16, 2.0).numpy().mean((1, 2, 3))
    )
    # Positive yaw takes the near side to the left, so what is behind goes right.
    assert left > middle > right
    top, centre, bottom = (
        crop_background(vertical, angles, (1.0, 0.4), 16, 2.0).numpy().mean((1, 2, 3))
    )
    assert top < centre < bottom
    still = crop_background(horizontal, angles, (0.0, 0.0), 16, 2.0).numpy()
    np.testing.assert_array_equal(still[0], still[2])
