"""Affine maps of points, against NumPy in double precision."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_unsup3d.rendering import PinholeCamera, transform_points


def _random(seed, batch, count, matrices, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=[batch, count, 3]).astype(dtype),
        rng.normal(size=[matrices, 3, 4]).astype(dtype),
    )


def _expected(points, matrices):
    points, matrices = points.astype(np.float64), matrices.astype(np.float64)
    linear = np.einsum("bij,bnj->bni", matrices[..., :3], points)
    return linear + matrices[:, None, :, 3]


@pytest.mark.parametrize("backend", ["op", "portable"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=50, deadline=None)
@given(
    batch=st.integers(0, 4),
    count=st.sampled_from([0, 1, 3, 100, 8191, 8193, 20_000]),
    shared=st.booleans(),
)
def test_is_that_of_numpy(dtype, backend, batch, count, shared):
    points, matrices = _random(0, batch, count, 1 if shared else batch, dtype)
    result = transform_points(points, matrices, backend=backend)
    assert result.dtype == dtype
    assert result.shape == points.shape
    expected = _expected(points, np.broadcast_to(matrices, [batch, 3, 4]))
    # Rounded once.
    tolerance = np.finfo(dtype).eps * (np.abs(expected) + 1e-12)
    if dtype == np.float64:
        tolerance = 1e-14
    assert np.all(np.abs(result - expected) <= tolerance)


@pytest.mark.parametrize("backend", ["op", "portable"])
@pytest.mark.parametrize("shared", [False, True])
def test_gradients(shared, backend):
    points, matrices = _random(1, 3, 5, 1 if shared else 3)

    def transform(points, matrices):
        return transform_points(points, matrices, backend=backend)

    analytic, numeric = tf.test.compute_gradient(transform, [points, matrices])
    for exact, difference in zip(analytic, numeric, strict=True):
        np.testing.assert_allclose(exact, difference, atol=1e-7)


def test_second_derivatives():
    """Of the sum of cubes, by each pair of inputs."""
    points, matrices = map(tf.constant, _random(2, 2, 4, 2))
    directions = _random(3, 2, 4, 2)

    def slope(step):
        inputs = [
            value + step * direction
            for value, direction in zip((points, matrices), directions, strict=True)
        ]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = tf.reduce_sum(transform_points(*inputs) ** 3)
        gradients = tape.gradient(value, inputs)
        return tf.add_n(
            [
                tf.reduce_sum(gradient * direction)
                for gradient, direction in zip(gradients, directions, strict=True)
            ]
        )

    step = tf.constant(0.0, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(step)
        value = slope(step)
    second = tape.gradient(value, step)
    difference = (slope(1e-5) - slope(-1e-5)) / 2e-5
    np.testing.assert_allclose(second, difference, rtol=1e-7)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_gradients_in_a_graph_of_unknown_batch_size(count):
    points, matrices = _random(4, count, 6, count)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, 3], tf.float64),
            tf.TensorSpec([None, 3, 4], tf.float64),
        ]
    )
    def gradients(points, matrices):
        value = tf.reduce_sum(transform_points(points, matrices) ** 2)
        return tf.gradients(value, [points, matrices])

    result = 2 * _expected(points, matrices)
    of_points = np.einsum("bni,bij->bnj", result, matrices[..., :3])
    of_matrices = np.einsum(
        "bni,bnj->bij", result, np.append(points, np.ones_like(points[..., :1]), -1)
    )
    first, second = gradients(points, matrices)
    np.testing.assert_allclose(first, of_points, atol=1e-12)
    np.testing.assert_allclose(second, of_matrices, atol=1e-12)


def test_half_precision_counts_as_single():
    points, matrices = _random(5, 2, 7, 2, np.float32)
    half = tf.cast(points, tf.bfloat16)
    result = transform_points(half, matrices)
    assert result.dtype == tf.float32
    expected = transform_points(tf.cast(half, tf.float32), matrices)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(
    ("points_shape", "matrices_shape", "message"),
    [
        ([2, 3], [1, 3, 4], "points must have the shape"),
        ([2, 5, 2], [1, 3, 4], "points must have the shape"),
        ([2, 5, 3], [3, 4], "matrices must have the shape"),
        ([2, 5, 3], [2, 3, 3], "matrices must have the shape"),
        ([2, 5, 3], [2, 4, 4], "matrices must have the shape"),
        ([2, 5, 3], [3, 3, 4], "one for each picture of points"),
        ([2, 5, 3], [0, 3, 4], "one for each picture of points"),
    ],
)
@pytest.mark.parametrize("backend", ["op", "portable"])
def test_wrong_shapes_are_named(points_shape, matrices_shape, message, backend):
    points, matrices = tf.zeros(points_shape), tf.zeros(matrices_shape)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        transform_points(points, matrices, backend=backend)


def test_wrong_types_are_named():
    with pytest.raises(TypeError, match="points must be float32 or float64, got int32"):
        transform_points(tf.zeros([1, 2, 3], tf.int32), tf.zeros([1, 3, 4]))
    with pytest.raises(TypeError, match="matrices must be float32 like points"):
        transform_points(tf.zeros([1, 2, 3]), tf.zeros([1, 3, 4], tf.float64))


def test_result_does_not_depend_on_the_batch():
    points, matrices = _random(6, 3, 10_000, 3, np.float32)
    together = transform_points(points, matrices).numpy()
    for picture in range(3):
        part = slice(picture, picture + 1)
        alone = transform_points(points[part, 17:], matrices[part])
        np.testing.assert_array_equal(together[part, 17:], alone)


def test_rotation_then_camera_is_one_matrix():
    points, _ = _random(7, 1, 50, 1)
    rotation, _ = np.linalg.qr(_random(8, 1, 3, 1)[0][0])
    camera = PinholeCamera()
    combined = camera.matrix(40, 30) @ np.block(
        [[rotation, np.zeros([3, 1])], [np.zeros([1, 3]), np.ones([1, 1])]]
    )
    np.testing.assert_allclose(
        transform_points(points, combined[None]),
        camera.project(tf.constant(points @ rotation.T), 40, 30),
        rtol=1e-12,
    )
