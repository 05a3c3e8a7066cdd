import dataclasses
import json
import math

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.rendering.camera import PinholeCamera


@pytest.fixture
def turned():
    """A camera anywhere, that looks anywhere."""
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=[3, 3]))
    rotation *= np.sign(np.linalg.det(rotation))
    pose = np.append(rotation, [[0.2], [-0.1], [5.0]], 1)
    return PinholeCamera(0.5, principal_point=(0.3, 0.6), pose=pose)


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


def test_pose_and_principal_point_are_those_of_the_matrix(turned):
    points = np.random.default_rng(1).normal(size=[7, 3])
    rotation, offset = np.split(np.array(turned.pose), [3], 1)
    seen = points @ rotation.T + offset[:, 0]
    assert turned.distance == 5.0
    np.testing.assert_allclose(turned.turn(tf.constant(points)), points @ rotation.T)
    x, y, depth = turned.project(tf.constant(points), 40, 60).numpy().T
    np.testing.assert_allclose(depth, seen[:, 2])
    # The shorter side, 40 pixels, spans half a radian.
    focal = 20.0 / math.tan(0.25)
    np.testing.assert_allclose(x / depth, 0.3 * 60 + focal * seen[:, 0] / seen[:, 2])
    np.testing.assert_allclose(y / depth, 0.6 * 40 + focal * seen[:, 1] / seen[:, 2])


@pytest.mark.parametrize("size", [(4, 6), (7, 5)], ids=str)
def test_back_projection_inverts_projection(size, turned):
    depth = np.random.default_rng(0).uniform(4.0, 6.0, [2, *size])
    rows, columns = np.mgrid[: size[0], : size[1]] + 0.5
    for camera in (PinholeCamera(), turned):
        points = camera.back_project(depth)
        assert points.shape == (2, *size, 3)
        rotation, offset = np.split(np.array(camera.pose), [3], 1)
        world = (points - offset[:, 0]) @ rotation
        x, y, z = np.moveaxis(camera.project(tf.constant(world), *size).numpy(), -1, 0)
        np.testing.assert_allclose(x / z, np.broadcast_to(columns, x.shape))
        np.testing.assert_allclose(y / z, np.broadcast_to(rows, y.shape))
        np.testing.assert_allclose(z, depth)


def test_a_camera_is_a_value(turned):
    assert PinholeCamera() == PinholeCamera(math.radians(10.0), [0.5, 0.5])
    assert PinholeCamera(pose=np.float64(PinholeCamera().pose)) == PinholeCamera()
    different = {PinholeCamera(), turned, PinholeCamera(0.5)}
    assert len(different) == 3
    for camera in different:
        text = json.dumps(dataclasses.asdict(camera))
        again = PinholeCamera(**json.loads(text))
        assert again == camera and hash(again) == hash(camera)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"field_of_view": 0.0}, "field_of_view must be between 0 and pi, got 0.0"),
        ({"field_of_view": math.pi}, "field_of_view must be between"),
        ({"field_of_view": math.nan}, "field_of_view must be between"),
        ({"principal_point": 0.5}, r"principal_point must be \[2\] finite"),
        ({"principal_point": (0.5, math.inf)}, r"principal_point must be \[2\] finite"),
        ({"pose": np.eye(3)}, r"pose must be \[3, 4\] finite"),
        ({"pose": np.full([3, 4], np.nan)}, r"pose must be \[3, 4\] finite"),
        ({"pose": 2 * np.eye(3, 4)}, "pose must hold a rotation"),
        ({"pose": np.diag([1, 1, -1]) @ np.eye(3, 4)}, "pose must hold a rotation"),
    ],
)
def test_what_is_wrong_is_named(fields, message):
    with pytest.raises(ValueError, match=message):
        PinholeCamera(**fields)
