"""Both backends against brute force: pictures, triangles and gradients."""

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.rendering import PinholeCamera, render_mesh

TOLERANCES = {np.float64: 1e-9, np.float32: 1e-5}


def _to_double(inputs):
    return {
        name: value.astype(np.float64) if value.dtype == np.float32 else value
        for name, value in inputs.items()
    }


@pytest.fixture
def compare(render_with_gradients, render_by_brute_force):
    """Compares pictures, triangles and gradients of both backends.

    Both compute in double precision, whatever their inputs: so does brute force.
    """

    def run(inputs, **options):
        weights = np.random.default_rng(1).normal(size=inputs["background"].shape)
        expected = render_with_gradients(
            _to_double(inputs), weights, render_by_brute_force, **options
        )
        tolerance = TOLERANCES[inputs["vertices"].dtype.type]
        for backend in ("op", "portable"):
            drawn = render_with_gradients(inputs, weights, backend=backend, **options)
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
def test_bumpy_spheres(dtype, margin, height, width, bumpy_inputs, compare):
    seed = height + int(margin)
    inputs = bumpy_inputs(
        seed, subdivisions=4, height=height, width=width, batch=2, dtype=dtype
    )
    compare(inputs, margin=margin)


@pytest.mark.parametrize("margin", [0.0, 1.0, 2.5, 40.0])
@pytest.mark.parametrize("height, width", [(1, 1), (1, 9), (24, 17)])
def test_triangle_soup(margin, height, width, soup_inputs, compare):
    for seed in range(3):
        inputs = soup_inputs(seed, height=height, width=width, batch=2)
        compare(inputs, margin=margin)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("margin", [0.0, 1.0, 2.5])
def test_triangles_that_reach_behind_the_camera(dtype, margin, soup_inputs, compare):
    for seed in range(4):
        inputs = soup_inputs(seed, nearest=-1.5, batch=2, dtype=dtype)
        compare(inputs, margin=margin)


@pytest.mark.parametrize("margin", [0.0, 1.0, 2.5])
def test_both_sides_of_open_surfaces(margin, open_inputs, soup_inputs, compare):
    options = {"margin": margin, "cull_backfaces": False}
    for seed in range(3):
        compare(open_inputs(seed, height=32, width=32), **options)
        compare(soup_inputs(seed, nearest=-1.5), **options)


@pytest.mark.parametrize("depth_push", [0.0, 0.3])
def test_other_depth_push(depth_push, bumpy_inputs, compare):
    inputs = bumpy_inputs(5, height=32, width=32)
    compare(inputs, depth_push=depth_push)


def test_fine_mesh(bumpy_inputs, compare):
    """Most triangles are smaller than a pixel."""
    inputs = bumpy_inputs(7, subdivisions=9, height=20, width=20)
    compare(inputs)


@pytest.mark.parametrize("texture_channels, attribute_channels", [(0, 2), (3, 0)])
def test_one_source_of_colour(
    texture_channels, attribute_channels, bumpy_inputs, compare
):
    inputs = bumpy_inputs(3, subdivisions=3, height=16, width=16)
    rng = np.random.default_rng(0)
    vertices = inputs["vertices"].shape[1]
    inputs["texture"] = rng.normal(size=[1, 4, 5, texture_channels])
    inputs["attributes"] = rng.normal(size=[1, vertices, attribute_channels])
    channels = texture_channels + attribute_channels
    inputs["background"] = rng.normal(size=[1, 16, 16, channels])
    compare(inputs)


@pytest.mark.parametrize("backend", ["op", "portable"])
def test_no_triangles_leave_the_background(backend, soup_inputs, render_inputs):
    inputs = soup_inputs(0, triangles=0, batch=2)
    picture, triangle_ids = render_inputs(**inputs, backend=backend)
    np.testing.assert_array_equal(picture, inputs["background"])
    assert np.all(triangle_ids.numpy() == -1)


@pytest.mark.parametrize("backend", ["op", "portable"])
def test_graph_without_known_shapes(backend, bumpy_inputs, render_inputs):
    inputs = bumpy_inputs(2, subdivisions=3, height=16, width=12, batch=2)
    unknown = {
        name: tf.TensorSpec([None] * value.ndim, value.dtype)
        for name, value in inputs.items()
    }

    @tf.function(input_signature=[unknown])
    def render_and_differentiate(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs["vertices"])
            picture, _ = render_inputs(**inputs, backend=backend)
            value = tf.reduce_sum(picture**2)
        assert picture.shape.rank == 4
        return picture, tape.gradient(value, inputs["vertices"])

    constants = {name: tf.constant(value) for name, value in inputs.items()}
    picture, gradient = render_and_differentiate(constants)
    expected, _ = render_inputs(**inputs)
    np.testing.assert_allclose(picture, expected, atol=1e-12)
    assert gradient.shape == inputs["vertices"].shape
    assert np.any(gradient.numpy() != 0)


def _coincident_inputs(soup_inputs, seed, **options):
    """Triangles of one colour, each with another one of the other side on it."""
    inputs = soup_inputs(seed, dtype=np.float32, **options)
    count = inputs["vertices"].shape[1]
    for name in ("vertices", "attributes"):
        inputs[name] = np.concatenate([inputs[name]] * 2, 1)
    triangles = inputs["triangles"]
    inputs["triangles"] = np.concatenate([triangles, triangles[:, ::-1] + count])
    for name in ("neighbors", "uv_triangles"):
        inputs[name] = np.concatenate([inputs[name]] * 2)
    inputs["texture"] = np.ones_like(inputs["texture"])
    inputs["attributes"] = np.ones_like(inputs["attributes"])
    inputs["background"] = np.zeros_like(inputs["background"])
    return inputs


@pytest.mark.parametrize("margin, depth_push", [(1.0, 0.2), (3.0, 1.0), (20.0, 1.0)])
def test_edges_at_the_same_place(margin, depth_push, soup_inputs, render_inputs):
    for seed in range(10):
        inputs = _coincident_inputs(soup_inputs, seed, triangles=4)
        op, portable = (
            render_inputs(
                **inputs,
                margin=margin,
                depth_push=depth_push,
                cull_backfaces=False,
                backend=backend,
            )[0].numpy()
            for backend in ("op", "portable")
        )
        assert op.min() >= 0.0 and op.max() <= 1.0 + 1e-6
        np.testing.assert_allclose(portable, op, atol=1e-5)


@pytest.mark.parametrize("backend", ["op", "portable"])
@pytest.mark.parametrize("seed", [4, 12, 28])
def test_gradients_at_seams_are_not_those_of_rounding(backend, seed):
    """Every triangle has vertices and colours of its own."""
    sphere, size = octahedral_sphere(6), 64
    corners = sphere.triangles.reshape(-1)
    triangles = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    mesh = Mesh(triangles, neighbors=np.full_like(triangles, -1))
    rng = np.random.default_rng(seed)
    wave = np.sin(sphere.directions @ rng.normal(scale=4, size=(3, 3)))[:, :1]
    points = 0.6 * sphere.directions * (1 + 0.2 * wave)
    points = points @ np.linalg.qr(rng.normal(size=(3, 3)))[0]
    colours = tf.constant(rng.uniform(size=[1, len(corners), 1]), tf.float32)
    pixels = PinholeCamera().project(tf.constant(points[None], tf.float32), size, size)
    vertices = tf.gather(pixels, corners, axis=1)
    weights = tf.constant(rng.normal(size=[1, size, size, 1]), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(vertices)
        drawn = render_mesh(
            vertices,
            mesh,
            attributes=colours,
            height=size,
            width=size,
            cull_backfaces=False,
            backend=backend,
        )
        value = tf.reduce_sum(weights * drawn["picture"])
    assert np.abs(tape.gradient(value, vertices)).max() < 1e8
