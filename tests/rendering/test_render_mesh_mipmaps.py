"""`render_mesh` with mipmaps: the op, the portable backend, its parts, brute force."""

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.rendering import op_library
from tf_unsup3d.rendering.mipmaps import join_mipmaps, make_mipmaps

BACKENDS = ["op", "portable"]


@pytest.fixture
def fine_inputs(bumpy_inputs, open_inputs, soup_inputs):
    """Inputs `(kind)` whose textures have several texels to a pixel."""

    def make(kind, dtype=np.float64):
        options = {"height": 20, "width": 27, "batch": 2, "dtype": dtype}
        if kind == "spheres":
            return bumpy_inputs(3, texture_size=64, **options)
        if kind == "open spheres":
            return open_inputs(3, texture_size=64, **options)
        inputs = soup_inputs(3, nearest=-1.5, **options)
        texture = np.random.default_rng(0).uniform(-1, 1, [2, 24, 80, 2])
        return {**inputs, "texture": texture.astype(dtype)}

    return make


@pytest.mark.parametrize("margin", [0.0, 1.0, 2.5])
@pytest.mark.parametrize("kind", ["spheres", "open spheres", "soup"])
def test_everything_agrees_with_brute_force(
    kind,
    margin,
    fine_inputs,
    render_inputs,
    render_in_steps,
    render_by_brute_force,
    render_with_gradients,
):
    inputs = fine_inputs(kind)
    weights = np.random.default_rng(1).normal(size=inputs["background"].shape)
    options = {"margin": margin, "cull_backfaces": kind == "spheres", "mipmaps": True}

    def draw(render, **more):
        return render_with_gradients(inputs, weights, render, **options, **more)

    expected = draw(render_by_brute_force)
    for name, drawn in {
        "op": draw(render_inputs, backend="op"),
        "portable": draw(render_inputs, backend="portable"),
        "steps": draw(render_in_steps),
    }.items():
        np.testing.assert_array_equal(drawn[1], expected[1], name)
        np.testing.assert_allclose(drawn[0], expected[0], atol=1e-9, err_msg=name)
        for of, gradient in drawn[2].items():
            error = np.linalg.norm(gradient - expected[2][of])
            assert error <= 1e-9 * np.linalg.norm(expected[2][of]), (name, of)


def test_single_precision(fine_inputs, render_with_gradients, render_by_brute_force):
    inputs = fine_inputs("spheres", np.float32)
    weights = np.random.default_rng(1).normal(size=inputs["background"].shape)
    double = {
        name: value.astype(np.float64) if value.dtype == np.float32 else value
        for name, value in inputs.items()
    }
    expected = render_with_gradients(
        double, weights, render_by_brute_force, mipmaps=True
    )
    # In stock ops shading is in the precision of the inputs.
    for backend, tolerance in (("op", 1e-5), ("portable", 1e-4)):
        drawn = render_with_gradients(inputs, weights, backend=backend, mipmaps=True)
        np.testing.assert_allclose(drawn[0], expected[0], atol=tolerance)
        for of, gradient in drawn[2].items():
            error = np.linalg.norm(gradient - expected[2][of])
            assert error <= tolerance * np.linalg.norm(expected[2][of]), (backend, of)


@pytest.mark.parametrize(
    "name, scale", [("vertices", 0.05), ("uv", 0.01), ("texture", 1.0)]
)
@pytest.mark.parametrize("margin", [1.0, 2.5])
def test_gradient_by_finite_differences(
    name, scale, margin, bumpy_inputs, slope_error, render_inputs
):
    """Of the level of detail too: the texture has 64 texels to 24 pixels."""
    errors = []
    for seed in range(10):
        inputs = bumpy_inputs(seed, height=24, width=24, texture_size=64)
        inputs = {key: tf.constant(value) for key, value in inputs.items()}
        rng = np.random.default_rng(1000 + seed)
        weights = rng.normal(size=[1, 24, 24, 3])
        direction = scale * rng.normal(size=inputs[name].shape)

        def along(step, inputs=inputs, weights=weights, direction=direction):
            moved = {**inputs, name: inputs[name] + step * direction}
            picture, _ = render_inputs(**moved, margin=margin, mipmaps=True)
            return tf.reduce_sum(picture * weights)

        errors.append(slope_error(along))
    assert np.median(errors) < 1e-5
    assert max(errors) < 1e-3


def test_level_is_part_of_the_gradient(quad_inputs, render_inputs):
    """A square that grows without moving under its one pixel shows finer mipmaps."""
    texture = np.random.default_rng(0).normal(size=[64, 64, 1])
    inputs = quad_inputs(1, 1, texture=texture)
    inputs["uv"] = np.array([[0, 0], [1, 0], [0, 1], [1, 1.0]])
    centre = tf.constant([0.5, 0.5, 0.0], tf.float64)

    def draw(log_size):
        vertices = inputs["vertices"] - centre
        size = tf.exp(log_size) * tf.constant([1.0, 1.0, 0.0], tf.float64)
        size += tf.constant([0.0, 0.0, 1.0], tf.float64)
        picture, _ = render_inputs(
            **{**inputs, "vertices": centre + size * vertices}, mipmaps=True
        )
        return picture[0, 0, 0, 0]

    log_size = tf.constant(2.3, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(log_size)
        value = draw(log_size)
    slope = tape.gradient(value, log_size)
    difference = (draw(log_size + 1e-6) - draw(log_size - 1e-6)) / 2e-6
    assert abs(difference) > 1e-3
    np.testing.assert_allclose(slope, difference, rtol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_whole_levels_are_means_of_blocks(level, backend, quad_inputs, render_inputs):
    texture = np.random.default_rng(0).normal(size=[48, 48, 2])
    size = 48 // 2**level
    inputs = quad_inputs(size, size, texture=texture)
    picture, _ = render_inputs(**inputs, backend=backend, mipmaps=True)
    blocks = texture.reshape(size, 2**level, size, 2**level, 2).mean((1, 3))
    np.testing.assert_allclose(picture[0, ..., :2], blocks, atol=1e-12)


def test_magnified_texture_is_bilinear(quad_inputs, render_inputs):
    texture = np.random.default_rng(0).normal(size=[4, 4, 2])
    inputs = quad_inputs(24, 24, texture=texture, depths=(4, 4, 3, 3))
    pictures = [render_inputs(**inputs, mipmaps=on)[0] for on in (True, False)]
    np.testing.assert_array_equal(*pictures)


@pytest.mark.parametrize("backend", BACKENDS)
def test_texture_without_mipmaps_is_bilinear(backend, soup_inputs, render_inputs):
    """Its sides, 5 and 7, are odd; or there is none at all."""
    inputs = soup_inputs(0)
    empty = {**inputs, "texture": np.zeros([1, 0, 0, 0])}
    empty["background"] = inputs["background"][..., :2]
    for some in (inputs, empty):
        pictures = [
            render_inputs(**some, backend=backend, mipmaps=on)[0]
            for on in (True, False)
        ]
        np.testing.assert_array_equal(*pictures)


@pytest.mark.parametrize("backend", BACKENDS)
def test_mipmaps_take_a_known_size(backend, quad_inputs, render_inputs):
    inputs = quad_inputs(4, 4)

    @tf.function(input_signature=[tf.TensorSpec([1, None, 4, 1], tf.float64)])
    def trace(texture):
        inputs["texture"] = texture
        return render_inputs(**inputs, backend=backend, mipmaps=True)

    with pytest.raises(ValueError, match="known height and width"):
        trace(inputs["texture"])


def test_op_checks_what_the_texture_holds(quad_inputs, render_inputs):
    inputs = quad_inputs(4, 4, texture=np.zeros([8, 4, 1]))
    picture, ids = render_inputs(**inputs)
    op = op_library.load_library()
    joined = join_mipmaps(make_mipmaps(tf.constant(inputs["texture"])))
    assert joined.shape == [1, 12, 4, 1]
    good = {**inputs, "texture": joined}
    op.render_mesh(**good, mipmaps=2)
    for texture, mipmaps, message in (
        (joined, 3, "3 mipmaps below a height and width that are multiples of 8"),
        (joined[:, :11], 2, "texture must hold 2 mipmaps"),
        (joined[:, :, :3], 1, "texture must hold 1 mipmaps"),
        (joined, -1, "mipmaps must be from 0 to 30, got -1"),
        (joined, 31, "mipmaps must be from 0 to 30, got 31"),
    ):
        bad = {**inputs, "texture": texture}
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            op.render_mesh(**bad, mipmaps=mipmaps)
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            op.render_mesh_grad(picture, ids, *bad.values(), mipmaps=mipmaps)
