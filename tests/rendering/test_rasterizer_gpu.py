"""The GPU kernels where TensorFlow sees a GPU, against the CPU ones."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import kernels

from tf_unsup3d.rendering import library
from tf_unsup3d.rendering.rasterizer import render_mesh


def _has_gpu_kernel():
    library.load_library()
    registered = kernels.get_registered_kernels_for_op("RenderMesh").kernel
    return any(kernel.device_type == "GPU" for kernel in registered)


pytestmark = pytest.mark.skipif(
    not (tf.config.list_physical_devices("GPU") and _has_gpu_kernel()),
    reason="needs a GPU, and the op built with nvcc",
)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "options",
    [{}, {"margin": 0.0}, {"margin": 2.5, "cull_backfaces": False}],
    ids=str,
)
def test_same_as_on_the_cpu(
    dtype, options, bumpy_scene, soup_scene, render_with_gradients
):
    for scene in (
        bumpy_scene(3, batch=3, height=70, width=90, dtype=dtype),
        soup_scene(1, nearest=-1.0, batch=2, dtype=dtype),
        soup_scene(2, height=1, width=1, dtype=dtype),
    ):
        weights = np.random.default_rng(0).normal(size=scene["background"].shape)
        with tf.device("CPU:0"):
            expected = render_with_gradients(scene, weights, **options)
        with tf.device("GPU:0"):
            first = render_with_gradients(scene, weights, **options)
            second = render_with_gradients(scene, weights, **options)
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


def test_runs_on_the_gpu_in_a_function(bumpy_scene):
    scene = bumpy_scene(0, dtype=np.float32)

    @tf.function
    def render(vertices):
        with tf.GradientTape() as tape:
            tape.watch(vertices)
            picture, ids = render_mesh(**{**scene, "vertices": vertices})
        return picture, ids, tape.gradient(picture, vertices)

    with tf.device("GPU:0"):
        outputs = render(tf.constant(scene["vertices"]))
    picture, ids = render_mesh(**scene)
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
def test_invalid_input_is_named(name, index, value, message, soup_scene):
    scene = soup_scene(0, triangles=4, height=6, width=8, batch=2)
    with tf.device("GPU:0"):
        picture, ids = render_mesh(**scene)
        scene[name][index] = value
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            render_mesh(**scene)
        gradient = library.load_library().render_mesh_grad
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            gradient(picture, ids, *scene.values())


def test_wrong_triangle_id_is_named(soup_scene):
    scene = soup_scene(0, triangles=4, height=6, width=8, batch=2)
    with tf.device("GPU:0"):
        picture, ids = render_mesh(**scene)
        wrong = tf.fill(ids.shape, 4)
        with pytest.raises(tf.errors.InvalidArgumentError, match="triangle_ids has 4"):
            library.load_library().render_mesh_grad(picture, wrong, *scene.values())
