"""The texture sampler, exercised by a rectangle that fills the picture."""

import keras
import numpy as np
import pytest
import tensorflow as tf

BACKENDS = ["op", "portable"]


@pytest.fixture
def sample(quad_inputs, render_inputs):
    """Draws a texture through a rectangle whose corners have the given UVs."""

    def draw(texture, uv, height, width, backend):
        inputs = quad_inputs(height, width, texture=texture)
        inputs["uv"] = np.asarray(uv, np.float64)
        picture, _ = render_inputs(**inputs, backend=backend)
        return picture.numpy()[0, ..., :-1]

    return draw


def _grid(left, top, right, bottom):
    return [[left, top], [right, top], [left, bottom], [right, bottom]]


@pytest.mark.parametrize("backend", BACKENDS)
def test_texel_centers_are_exact(backend, sample):
    texture = np.random.default_rng(0).normal(size=[5, 7, 3])
    picture = sample(texture, _grid(0, 0, 1, 1), 5, 7, backend)
    np.testing.assert_allclose(picture, texture, atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_constant_texture_stays_constant(backend, sample):
    texture = np.full([3, 2, 1], 0.37)
    picture = sample(texture, _grid(-1.3, -2, 2.2, 3), 11, 13, backend)
    np.testing.assert_allclose(picture, 0.37)


@pytest.mark.parametrize("backend", BACKENDS)
def test_linear_texture_is_reproduced(backend, sample):
    texture = (np.arange(8)[None, :] + 10 * np.arange(4)[:, None])[..., None]
    picture = sample(texture, _grid(0.25, 0.25, 0.75, 0.75), 6, 9, backend)
    u = 0.25 + 0.5 * (np.arange(9) + 0.5) / 9
    v = 0.25 + 0.5 * (np.arange(6) + 0.5) / 6
    expected = (8 * u - 0.5) + 10 * (4 * v[:, None] - 0.5)
    np.testing.assert_allclose(picture[..., 0], expected)


@pytest.mark.parametrize("backend", BACKENDS)
def test_border_continues_outside(backend, sample):
    texture = np.random.default_rng(1).normal(size=[4, 4, 2])
    picture = sample(texture, _grid(1.2, -0.5, 3, -0.1), 3, 3, backend)
    np.testing.assert_allclose(picture, np.broadcast_to(texture[0, -1], [3, 3, 2]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_single_texel(backend, sample):
    picture = sample(np.array([[[2.0, 3.0]]]), _grid(0, 0, 1, 1), 4, 4, backend)
    np.testing.assert_allclose(picture, np.broadcast_to([2.0, 3.0], [4, 4, 2]))


def test_many_pixels_add_up_to_the_gradient_of_one_texel(
    quad_inputs, render_with_gradients
):
    """Its terms are summed in double precision, whatever the inputs are."""
    inputs = quad_inputs(512, 512, texture=np.full([1, 1, 1], 0.5))
    weights = np.full(inputs["background"].shape, 0.1)
    single = {
        name: value.astype(np.float32) if value.dtype == np.float64 else value
        for name, value in inputs.items()
    }
    expected, found = (
        render_with_gradients(values, weights, margin=0.0)[2]
        for values in (inputs, single)
    )
    for name in ("texture", "attributes"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-6)


@pytest.mark.skipif(
    not keras.__version__.startswith("2."),
    reason="tensorflow-addons ended with Keras 2: `make test-tf215` runs this",
)
def test_agrees_with_the_resampler_of_tensorflow_addons(quad_inputs, render_inputs):
    from tensorflow_addons.image import resampler

    rng = np.random.default_rng(2)
    height, width = 9, 11
    texture = rng.normal(size=[8, 6, 3])
    # An affine map of the picture into the inside of the texture.
    origin, right, down = np.array([0.3, 0.4]), [0.4, -0.2], [0.1, 0.35]
    uv = origin + np.array([[0, 0], right, down, np.add(right, down)])
    columns = ((np.arange(width) + 0.5) / width)[None, :, None]
    rows = ((np.arange(height) + 0.5) / height)[:, None, None]
    points = origin + columns * right + rows * down
    texels = points * [6, 8] - 0.5
    weights = rng.normal(size=[height, width, 3])

    data = tf.constant(texture[None])
    with tf.GradientTape() as tape:
        tape.watch(data)
        expected = resampler(data, tf.constant(texels[None]))
        value = tf.reduce_sum(expected * weights)
    expected_gradient = tape.gradient(value, data)

    inputs = quad_inputs(height, width, texture=texture)
    inputs["uv"] = uv
    inputs["texture"] = tf.constant(inputs["texture"])
    with tf.GradientTape() as tape:
        tape.watch(inputs["texture"])
        picture, _ = render_inputs(**inputs)
        value = tf.reduce_sum(picture[..., :3] * weights)
    np.testing.assert_allclose(picture[..., :3], expected, atol=1e-12)
    gradient = tape.gradient(value, inputs["texture"])
    np.testing.assert_allclose(gradient, expected_gradient, atol=1e-12)
