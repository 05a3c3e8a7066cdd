"""The GPU kernels where TensorFlow sees a GPU, against the CPU ones."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import kernels

from tf_unsup3d import rendering
from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.rendering import op_library


def _has_gpu_kernel():
    op_library.load_library()
    registered = kernels.get_registered_kernels_for_op("TfUnsup3d>RasterizeMesh").kernel
    assert registered, "the op has another name"
    return any(kernel.device_type == "GPU" for kernel in registered)


pytestmark = pytest.mark.skipif(
    not (_has_gpu_kernel() and tf.config.list_physical_devices("GPU")),
    reason="needs a GPU, and the op built with CUDA kernels",
)


OPTIONS = [{}, {"margin": 0.0}, {"margin": 2.5, "cull_backfaces": False}]


@pytest.fixture
def all_inputs(bumpy_inputs, soup_inputs):
    """Inputs of all sizes, also none."""
    return lambda dtype: (
        bumpy_inputs(3, batch=3, height=70, width=90, dtype=dtype),
        soup_inputs(1, nearest=-1.0, batch=2, dtype=dtype),
        soup_inputs(2, height=1, width=1, dtype=dtype),
        soup_inputs(0, triangles=0, dtype=dtype),
        soup_inputs(0, batch=0, dtype=dtype),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_same_as_on_the_cpu(dtype, options, all_inputs, render_with_gradients):
    for inputs in all_inputs(dtype):
        weights = np.random.default_rng(0).normal(size=inputs["background"].shape)
        with tf.device("CPU:0"):
            expected = render_with_gradients(inputs, weights, **options)
        with tf.device("GPU:0"):
            first = render_with_gradients(inputs, weights, **options)
            second = render_with_gradients(inputs, weights, **options)
        tolerance = 1e-10 if dtype == np.float64 else 1e-5
        np.testing.assert_array_equal(first[1], expected[1])
        np.testing.assert_allclose(first[0], expected[0], atol=tolerance)
        np.testing.assert_array_equal(first[0], second[0])
        for name, gradient in expected[2].items():
            scale = np.max(np.abs(gradient), initial=0)
            np.testing.assert_allclose(
                first[2][name], gradient, tolerance, tolerance * scale, err_msg=name
            )
            np.testing.assert_array_equal(first[2][name], second[2][name])


def _rasterize(inputs, **options):
    # As tensors, which the ops check.
    mesh = Mesh(
        tf.constant(inputs["triangles"]), neighbors=tf.constant(inputs["neighbors"])
    )
    return rendering.rasterize_mesh(
        inputs["vertices"], mesh, *inputs["background"].shape[1:3], **options
    )


def _surface(inputs):
    return [inputs[name] for name in ("vertices", "triangles", "neighbors")]


def _gradient_arguments(inputs):
    """Of RasterizeMeshGrad; the values of the gradients do not matter."""
    fragments = _rasterize(inputs)
    gradients = [fragments.barycentric, fragments.depth, fragments.weight]
    given = [fragments.pixels, fragments.triangle_ids]
    return gradients + given + _surface(inputs)


def _list_with_gradient(inputs, **options):
    """The fragments and the gradient of a function of all that is differentiable."""
    vertices = tf.constant(inputs["vertices"])
    with tf.GradientTape() as tape:
        tape.watch(vertices)
        fragments = _rasterize({**inputs, "vertices": vertices}, **options)
        value = tf.reduce_sum(
            fragments.weight * (fragments.depth + fragments.barycentric[:, 0] ** 2)
        )
    return fragments, tape.gradient(value, vertices)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_list_is_that_of_the_cpu(dtype, options, all_inputs):
    for inputs in all_inputs(dtype):
        with tf.device("CPU:0"):
            expected, expected_gradient = _list_with_gradient(inputs, **options)
        with tf.device("GPU:0"):
            first, gradient = _list_with_gradient(inputs, **options)
            second, second_gradient = _list_with_gradient(inputs, **options)
        tolerance = 1e-10 if dtype == np.float64 else 1e-5
        for name in ("pixels", "triangles", "triangle_ids"):
            np.testing.assert_array_equal(
                getattr(first, name), getattr(expected, name), err_msg=name
            )
        for name in ("barycentric", "depth", "weight"):
            np.testing.assert_allclose(
                getattr(first, name),
                getattr(expected, name),
                tolerance,
                tolerance,
                err_msg=name,
            )
        for one, other in zip(first, second, strict=True):
            np.testing.assert_array_equal(one, other)
        scale = np.max(np.abs(expected_gradient), initial=0)
        np.testing.assert_allclose(
            gradient, expected_gradient, tolerance, tolerance * scale
        )
        np.testing.assert_array_equal(gradient, second_gradient)


def test_picture_in_steps_on_the_gpu(
    bumpy_inputs, render_with_gradients, render_in_steps
):
    inputs = bumpy_inputs(0, batch=2)
    weights = np.random.default_rng(0).normal(size=inputs["background"].shape)
    with tf.device("GPU:0"):
        whole = render_with_gradients(inputs, weights)
        parts = render_with_gradients(inputs, weights, render=render_in_steps)
    np.testing.assert_allclose(parts[0], whole[0], atol=1e-9)
    for name, expected in whole[2].items():
        error = np.linalg.norm(parts[2][name] - expected)
        assert error <= 1e-9 * np.linalg.norm(expected), name


def test_runs_on_the_gpu_in_a_function(bumpy_inputs, render_inputs):
    inputs = bumpy_inputs(0, dtype=np.float32)

    @tf.function
    def render(vertices):
        with tf.GradientTape() as tape:
            tape.watch(vertices)
            picture, ids = render_inputs(**{**inputs, "vertices": vertices})
        return picture, ids, tape.gradient(picture, vertices)

    with tf.device("GPU:0"):
        outputs = render(tf.constant(inputs["vertices"]))
    picture, ids = render_inputs(**inputs)
    assert "GPU" in picture.device
    np.testing.assert_array_equal(outputs[0], picture)
    np.testing.assert_array_equal(outputs[1], ids)
    assert np.any(outputs[2])


@pytest.mark.parametrize(
    "name, index, value, message",
    [
        ("triangles", (1, 2), 12, r"triangles\[1, 2\] is 12"),
        ("uv_triangles", (3, 1), -5, r"uv_triangles\[3, 1\] is -5"),
        ("neighbors", (2, 0), 4, r"neighbors\[2, 0\] is 4"),
        ("vertices", (1, 2, 0), np.nan, r"vertices\[1, 2, 0\] is not"),
        ("uv", (3, 1), np.inf, r"uv\[3, 1\] is not"),
    ],
)
def test_invalid_input_is_named(
    name, index, value, message, soup_inputs, render_inputs
):
    inputs = soup_inputs(0, triangles=4, height=6, width=8, batch=2)
    with tf.device("GPU:0"):
        picture, ids = render_inputs(**inputs)
        inputs[name][index] = value
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            render_inputs(**inputs)
        gradient = op_library.load_library().render_mesh_grad
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            gradient(picture, ids, *inputs.values())


def test_no_gradient_of_uv(soup_inputs, render_inputs):
    inputs = soup_inputs(0, batch=2)
    gradient = op_library.load_library().render_mesh_grad
    with tf.device("GPU:0"):
        picture, ids = render_inputs(**inputs)
        full = gradient(picture, ids, *inputs.values())
        without = gradient(picture, ids, *inputs.values(), wants_uv=False)
    assert without.uv_gradient.shape == [0, 2]
    for name in ("vertices", "texture", "attributes", "background"):
        name += "_gradient"
        np.testing.assert_array_equal(getattr(without, name), getattr(full, name))


def test_wrong_triangle_id_is_named(soup_inputs, render_inputs):
    inputs = soup_inputs(0, triangles=4, height=6, width=8, batch=2)
    with tf.device("GPU:0"):
        picture, ids = render_inputs(**inputs)
        wrong = tf.fill(ids.shape, 4)
        with pytest.raises(tf.errors.InvalidArgumentError, match="triangle_ids has 4"):
            op_library.load_library().render_mesh_grad(picture, wrong, *inputs.values())


@pytest.mark.parametrize(
    "name, index, value, message",
    [
        ("triangles", (1, 2), 12, r"triangles\[1, 2\] is 12"),
        ("neighbors", (2, 0), 4, r"neighbors\[2, 0\] is 4"),
        ("vertices", (1, 2, 0), np.nan, r"vertices\[1, 2, 0\] is not"),
    ],
)
def test_invalid_input_of_a_list_is_named(name, index, value, message, soup_inputs):
    inputs = soup_inputs(0, triangles=4, height=6, width=8, batch=2)
    with tf.device("GPU:0"):
        arguments = _gradient_arguments(inputs)
        inputs[name][index] = value
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            _rasterize(inputs)
        arguments[5:] = _surface(inputs)
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            op_library.load_library().rasterize_mesh_grad(*arguments)


def test_wrong_list_is_named(soup_inputs):
    inputs = soup_inputs(0, triangles=4, height=6, width=8, batch=2)
    gradient = op_library.load_library().rasterize_mesh_grad
    with tf.device("GPU:0"):
        arguments = _gradient_arguments(inputs)
        assert gradient(*arguments).shape == inputs["vertices"].shape
        for index, value, message in (
            (3, arguments[3][::-1], "pixels is not that of these vertices"),
            (4, tf.fill(arguments[4].shape, 4), "triangle_ids is not that of these"),
        ):
            wrong = [*arguments[:index], value, *arguments[index + 1 :]]
            with pytest.raises(tf.errors.InvalidArgumentError, match=message):
                gradient(*wrong)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_points_are_transformed_as_on_the_cpu(dtype):
    rng = np.random.default_rng(0)
    points = rng.normal(size=[3, 5000, 3]).astype(dtype)
    matrices = rng.normal(size=[3, 3, 4]).astype(dtype)
    with tf.device("CPU:0"):
        expected = rendering.transform_points(points, matrices)
    with tf.device("GPU:0"):
        result = rendering.transform_points(points, matrices)
    np.testing.assert_array_equal(result, expected)
