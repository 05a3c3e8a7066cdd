"""Both backends against brute force: pictures, triangles and gradients."""

import numpy as np
import pytest
import tensorflow as tf

TOLERANCES = {np.float64: 1e-9, np.float32: 1e-5}


def _to_double(scene):
    return {
        name: value.astype(np.float64) if value.dtype == np.float32 else value
        for name, value in scene.items()
    }


@pytest.fixture
def compare(render_with_gradients, render_by_brute_force):
    """Compares pictures, triangles and gradients of both backends.

    Both compute in double precision, whatever their inputs: so does brute force.
    """

    def run(scene, **options):
        weights = np.random.default_rng(1).normal(size=scene["background"].shape)
        expected = render_with_gradients(
            _to_double(scene), weights, render_by_brute_force, **options
        )
        tolerance = TOLERANCES[scene["vertices"].dtype.type]
        for backend in ("op", "portable"):
            drawn = render_with_gradients(scene, weights, backend=backend, **options)
            np.testing.assert_array_equal(drawn[1], expected[1])
            np.testing.assert_allclose(drawn[0], expected[0], atol=tolerance)
            for name, gradient in drawn[2].items():
                assert np.all(np.isfinite(gradient))
                error = np.linalg.norm(gradient - expected[2][name])
                scale = np.linalg.norm(expected[2][name])
                assert error <= tolerance * scale + 1e-12, (backend, name)

    return run


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("margin", [0.0, 1.0, 2.5])
@pytest.mark.parametrize("height, width", [(32, 32), (20, 45), (70, 18)])
def test_bumpy_spheres(dtype, margin, height, width, bumpy_scene, compare):
    seed = height + int(margin)
    scene = bumpy_scene(
        seed, subdivisions=4, height=height, width=width, batch=2, dtype=dtype
    )
    compare(scene, margin=margin)


@pytest.mark.parametrize("margin", [0.0, 1.0, 2.5, 40.0])
@pytest.mark.parametrize("height, width", [(1, 1), (1, 9), (24, 17)])
def test_triangle_soup(margin, height, width, soup_scene, compare):
    for seed in range(3):
        scene = soup_scene(seed, height=height, width=width, batch=2)
        compare(scene, margin=margin)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("margin", [0.0, 1.0, 2.5])
def test_triangles_that_reach_behind_the_camera(dtype, margin, soup_scene, compare):
    for seed in range(4):
        scene = soup_scene(seed, nearest=-1.5, batch=2, dtype=dtype)
        compare(scene, margin=margin)


@pytest.mark.parametrize("margin", [0.0, 1.0, 2.5])
def test_both_sides_of_open_surfaces(margin, open_scene, soup_scene, compare):
    options = {"margin": margin, "cull_backfaces": False}
    for seed in range(3):
        compare(open_scene(seed, height=32, width=32), **options)
        compare(soup_scene(seed, nearest=-1.5), **options)


@pytest.mark.parametrize("depth_push", [0.0, 0.3])
def test_other_depth_push(depth_push, bumpy_scene, compare):
    scene = bumpy_scene(5, height=32, width=32)
    compare(scene, depth_push=depth_push)


def test_fine_mesh(bumpy_scene, compare):
    """Most triangles are smaller than a pixel."""
    scene = bumpy_scene(7, subdivisions=9, height=20, width=20)
    compare(scene)


@pytest.mark.parametrize("texture_channels, attribute_channels", [(0, 2), (3, 0)])
def test_one_source_of_colour(
    texture_channels, attribute_channels, bumpy_scene, compare
):
    scene = bumpy_scene(3, subdivisions=3, height=16, width=16)
    rng = np.random.default_rng(0)
    vertices = scene["vertices"].shape[1]
    scene["texture"] = rng.normal(size=[1, 4, 5, texture_channels])
    scene["attributes"] = rng.normal(size=[1, vertices, attribute_channels])
    channels = texture_channels + attribute_channels
    scene["background"] = rng.normal(size=[1, 16, 16, channels])
    compare(scene)


@pytest.mark.parametrize("backend", ["op", "portable"])
def test_no_triangles_leave_the_background(backend, soup_scene, render_scene):
    scene = soup_scene(0, triangles=0, batch=2)
    picture, triangle_ids = render_scene(**scene, backend=backend)
    np.testing.assert_array_equal(picture, scene["background"])
    assert np.all(triangle_ids.numpy() == -1)


@pytest.mark.parametrize("backend", ["op", "portable"])
def test_graph_without_known_shapes(backend, bumpy_scene, render_scene):
    scene = bumpy_scene(2, subdivisions=3, height=16, width=12, batch=2)
    unknown = {
        name: tf.TensorSpec([None] * value.ndim, value.dtype)
        for name, value in scene.items()
    }

    @tf.function(input_signature=[unknown])
    def render_and_differentiate(scene):
        with tf.GradientTape() as tape:
            tape.watch(scene["vertices"])
            picture, _ = render_scene(**scene, backend=backend)
            value = tf.reduce_sum(picture**2)
        assert picture.shape.rank == 4
        return picture, tape.gradient(value, scene["vertices"])

    constants = {name: tf.constant(value) for name, value in scene.items()}
    picture, gradient = render_and_differentiate(constants)
    expected, _ = render_scene(**scene)
    np.testing.assert_allclose(picture, expected, atol=1e-12)
    assert gradient.shape == scene["vertices"].shape
    assert np.any(gradient.numpy() != 0)
