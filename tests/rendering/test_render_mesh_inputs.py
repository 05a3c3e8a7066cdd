"""What may be left out of `render_mesh`, and what of a `Mesh` it takes."""

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.rendering import (
    PinholeCamera,
    composite,
    interpolate_uv,
    rasterize_mesh,
    render_mesh,
    sample_texture,
    uv_footprint,
)

SPHERE = octahedral_sphere(4)
HEIGHT, WIDTH = 20, 24
SIZE = {"height": HEIGHT, "width": WIDTH}


@pytest.fixture(params=["op", "portable"])
def backend(request):
    return request.param


@pytest.fixture
def inputs():
    rng = np.random.default_rng(0)
    points = 0.7 * np.stack([SPHERE.directions, SPHERE.directions[:, ::-1] * 0.8])
    return {
        "vertices": PinholeCamera().project(tf.constant(points), HEIGHT, WIDTH),
        "texture": rng.uniform(size=[2, 8, 8, 3]).astype(np.float32),
        "attributes": rng.uniform(size=[2, *points.shape[1:2], 2]).astype(np.float32),
    }


def test_texture_and_attributes_may_be_left_out(inputs, backend):
    vertices = inputs["vertices"]
    both = render_mesh(mesh=SPHERE, **inputs, **SIZE, backend=backend)
    picture, ids = both["picture"], both["triangle_ids"]
    assert picture.shape == (2, HEIGHT, WIDTH, 5)
    options = {**SIZE, "backend": backend}
    parts = [
        render_mesh(vertices, SPHERE, inputs["texture"], **options),
        # Without a texture the mesh needs no texture layout.
        render_mesh(
            vertices,
            Mesh(SPHERE.triangles),
            attributes=inputs["attributes"],
            **options,
        ),
        render_mesh(vertices, SPHERE, **options),
    ]
    for part, expected in zip(
        parts, (picture[..., :3], picture[..., 3:], picture[..., :0]), strict=True
    ):
        assert list(part) == ["picture", "triangle_ids"]
        np.testing.assert_array_equal(part["picture"], expected)
        np.testing.assert_array_equal(part["triangle_ids"], ids)


def test_a_missing_background_is_zero(inputs, backend):
    missing = render_mesh(mesh=SPHERE, **inputs, **SIZE, backend=backend)
    zero = tf.zeros([2, HEIGHT, WIDTH, 5])
    given = render_mesh(mesh=SPHERE, **inputs, background=zero, backend=backend)
    np.testing.assert_array_equal(missing["picture"], given["picture"])


def test_gradients_need_nothing_that_is_left_out(inputs):
    vertices = tf.constant(inputs["vertices"])
    with tf.GradientTape() as tape:
        tape.watch(vertices)
        drawn = render_mesh(vertices, SPHERE, inputs["texture"], **SIZE)
        value = tf.reduce_sum(drawn["picture"] ** 2)
    gradient = tape.gradient(value, vertices)
    attributes = tf.zeros_like(vertices[..., :1])
    with tf.GradientTape() as tape:
        tape.watch(vertices)
        drawn = render_mesh(vertices, SPHERE, inputs["texture"], attributes, **SIZE)
        value = tf.reduce_sum(drawn["picture"] ** 2)
    np.testing.assert_allclose(gradient, tape.gradient(value, vertices), rtol=1e-6)
    assert np.any(gradient)


def test_size_comes_from_one_source(inputs):
    background = tf.zeros([2, HEIGHT, WIDTH, 5])
    for size in ({}, {"height": HEIGHT}, {"width": WIDTH}):
        with pytest.raises(ValueError, match="height and width must be given"):
            render_mesh(mesh=SPHERE, **inputs, **size)
    for size in (SIZE, {"height": HEIGHT}, {"width": WIDTH}):
        with pytest.raises(ValueError, match="those of the background"):
            render_mesh(mesh=SPHERE, **inputs, background=background, **size)


def test_a_texture_needs_texture_coordinates(inputs):
    mesh, vertices = Mesh(SPHERE.triangles), inputs["vertices"]
    fragments = rasterize_mesh(vertices, mesh, HEIGHT, WIDTH)
    for draw in (
        lambda: render_mesh(vertices, mesh, inputs["texture"], **SIZE),
        lambda: interpolate_uv(fragments, mesh),
        lambda: uv_footprint(fragments, vertices, mesh),
    ):
        with pytest.raises(ValueError, match="takes a mesh with uv"):
            draw()


def test_texture_coordinates_are_widened_with_the_vertices(inputs):
    double = {name: tf.cast(value, tf.float64) for name, value in inputs.items()}
    vertices, texture = double["vertices"], double["texture"]
    expected = render_mesh(mesh=SPHERE, **inputs, **SIZE)["picture"][..., :3]
    drawn = render_mesh(vertices, SPHERE, texture, **SIZE)["picture"]
    fragments = rasterize_mesh(vertices, SPHERE, HEIGHT, WIDTH)
    uv = interpolate_uv(fragments, SPHERE)
    assert uv_footprint(fragments, vertices, SPHERE).dtype == tf.float64
    in_steps = composite(
        fragments, sample_texture(fragments, texture, uv), tf.zeros_like(drawn)
    )
    assert drawn.dtype == in_steps.dtype == tf.float64
    np.testing.assert_allclose(drawn, expected, atol=1e-5)
    np.testing.assert_allclose(in_steps, drawn, atol=1e-12)


def test_shapes_are_inferred_without_a_background():
    @tf.function
    def trace(vertices, texture):
        return render_mesh(vertices, SPHERE, texture, **SIZE)

    for batch in (2, None):
        outputs = trace.get_concrete_function(
            tf.TensorSpec([batch, len(SPHERE.directions), 3]),
            tf.TensorSpec([batch, 8, 8, 3]),
        ).structured_outputs
        assert outputs["picture"].shape.as_list() == [batch, HEIGHT, WIDTH, 3]
        assert outputs["triangle_ids"].shape.as_list() == [batch, HEIGHT, WIDTH]
