"""Inputs of any sizes and types, none of them included: right shapes, finite values."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_unsup3d import rendering

DTYPES = {
    "float64": tf.float64,
    "float32": tf.float32,
    "bfloat16": tf.bfloat16,
    "float16": tf.float16,
}


@st.composite
def all_inputs(draw):
    """Inputs of the op; numbers are random, sizes are drawn."""

    def size(low, high):
        return draw(st.integers(low, high))

    rng = np.random.default_rng(size(0, 2**32 - 1))
    batch, height, width = size(0, 3), size(1, 9), size(1, 9)
    vertices, uvs = size(1, 6), size(1, 5)
    triangles = size(0, 8)
    texture_size = [size(1, 5), size(1, 5)]
    texture_channels, attribute_channels = size(0, 3), size(0, 3)
    channels = texture_channels + attribute_channels
    depth = rng.uniform(draw(st.sampled_from([0.5, -0.5])), 3, [batch, vertices, 1])
    position = rng.uniform(-3, 12, [batch, vertices, 2])
    if draw(st.booleans()):
        # On pixel centres and corners, where ties are.
        position = np.round(2 * position) / 2
    real = {
        "vertices": np.concatenate([position * depth, depth], -1),
        "uv": rng.uniform(-0.5, 1.5, [uvs, 2]),
        "texture": rng.uniform(-1, 1, [batch, *texture_size, texture_channels]),
        "attributes": rng.uniform(-1, 1, [batch, vertices, attribute_channels]),
        "background": rng.uniform(-1, 1, [batch, height, width, channels]),
    }
    whole = {
        "triangles": rng.integers(0, vertices, [triangles, 3]),
        "neighbors": rng.integers(-1, max(triangles, 1), [triangles, 3]),
        "uv_triangles": rng.integers(0, uvs, [triangles, 3]),
    }
    precision = draw(st.sampled_from(list(DTYPES)))
    if draw(st.booleans()) and precision != "float64":
        types = dict.fromkeys(real, DTYPES["float32"])
        types["texture"] = DTYPES[precision]
    else:
        types = dict.fromkeys(real, DTYPES[precision])
    return {
        **{name: tf.constant(value, tf.int32) for name, value in whole.items()},
        **{name: tf.constant(value, types[name]) for name, value in real.items()},
    }


@pytest.mark.parametrize("kind", ["render_mesh", "steps"])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_shape_is_drawn(kind, data, render_inputs, render_in_steps):
    inputs = data.draw(all_inputs())
    render = render_inputs if kind == "render_mesh" else render_in_steps
    options = {
        "margin": data.draw(st.sampled_from([0.0, 1.0, 4.0])),
        "depth_push": data.draw(st.sampled_from([0.0, 0.02])),
        "cull_backfaces": data.draw(st.booleans()),
    }
    real = {name: value for name, value in inputs.items() if value.dtype.is_floating}
    with tf.GradientTape() as tape:
        tape.watch(real)
        picture, triangle_ids = render(**inputs, **options)
        value = tf.reduce_sum(picture**2)
    gradients = tape.gradient(
        value, real, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    double = inputs["vertices"].dtype == tf.float64
    assert picture.dtype == (tf.float64 if double else tf.float32)
    assert picture.shape == inputs["background"].shape
    assert triangle_ids.shape == picture.shape[:3]
    assert np.all(np.abs(picture) <= 1 + 1e-3)
    assert np.all(triangle_ids.numpy() < inputs["triangles"].shape[0])
    for name, gradient in gradients.items():
        gradient = tf.convert_to_tensor(gradient)
        assert gradient.shape == inputs[name].shape, name
        assert gradient.dtype == inputs[name].dtype, name
        if gradient.dtype != tf.float16:  # steep ones are beyond its range
            assert np.all(np.isfinite(tf.cast(gradient, tf.float64))), name


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_any_shape_is_sampled_with_mipmaps(data, mesh_of):
    inputs = data.draw(all_inputs())
    height, width = inputs["background"].shape[1:3]
    mesh = mesh_of(inputs)
    fragments = rendering.rasterize_mesh(
        inputs["vertices"], mesh, height, width, cull_backfaces=False
    )
    uv = rendering.interpolate_uv(fragments, mesh)
    footprint = rendering.uv_footprint(fragments, inputs["vertices"], mesh)
    colours = rendering.sample_texture(
        fragments, inputs["texture"], uv, footprint=footprint
    )
    assert footprint.shape == [*fragments.pixels.shape, 2, 2]
    assert colours.shape == [*fragments.pixels.shape, inputs["texture"].shape[-1]]
    assert np.all(np.isfinite(colours))
    assert np.all(np.abs(colours) <= 1 + 1e-3)
