"""Wrong inputs of the compiled op: an error that names the input, never a crash."""

import re

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_unsup3d.rendering import op_library


@pytest.fixture
def inputs(soup_inputs):
    """Batch 2, 12 vertices and UVs, 4 triangles, 2 + 2 channels, 6 x 8 pixels."""
    return soup_inputs(0, triangles=4, height=6, width=8, batch=2)


def _without_last(name, axis):
    def change(inputs):
        return np.delete(inputs[name], -1, axis)

    return name, change


def _with_value(name, index, value):
    def change(inputs):
        changed = inputs[name].copy()
        changed[index] = value
        return changed

    return name, change


def _with_shape(name, shape):
    return name, lambda inputs: np.zeros(shape, inputs[name].dtype)


INVALID = [
    # Ranks and last dimensions.
    (_with_shape("vertices", [12, 3]), "vertices must have the shape"),
    (_with_shape("vertices", [2, 12, 4]), "vertices must have the shape"),
    (_with_shape("triangles", [4]), "triangles must have the shape"),
    (_with_shape("triangles", [4, 2]), "triangles must have the shape"),
    (_with_shape("neighbors", [4, 3, 1]), "neighbors must have the shape"),
    (_with_shape("neighbors", [4, 4]), "neighbors must have the shape"),
    (_with_shape("uv", [12, 3]), "uv must have the shape"),
    (_with_shape("uv", [2, 12, 2]), "uv must have the shape"),
    (_with_shape("uv_triangles", []), "uv_triangles must have the shape"),
    (_with_shape("texture", [5, 7, 2]), "texture must have the shape"),
    (_with_shape("attributes", [2, 12]), "attributes must have the shape"),
    (_with_shape("background", [2, 6, 8]), "background must have the shape"),
    # Sizes that belong together.
    (_without_last("neighbors", 0), "neighbors and triangles differ"),
    (_without_last("uv_triangles", 0), "uv_triangles and triangles differ"),
    (_without_last("texture", 0), "texture and vertices differ"),
    (_without_last("attributes", 0), "attributes and vertices differ"),
    (_without_last("attributes", 1), "attributes and vertices differ"),
    (_without_last("background", 0), "background and vertices differ"),
    (_without_last("background", 3), "as many channels as texture and attributes"),
    # Nothing there.
    (_with_shape("background", [2, 0, 8, 4]), "background must have a height"),
    (_with_shape("background", [2, 6, 0, 4]), "background must have a height"),
    (_with_shape("texture", [2, 0, 7, 2]), "texture must have a height"),
    (_with_shape("texture", [2, 5, 0, 2]), "texture must have a height"),
    # Indices.
    (_with_value("triangles", (1, 2), 12), r"triangles\[1, 2\] is 12"),
    (_with_value("triangles", (0, 0), -1), r"triangles\[0, 0\] is -1"),
    (_with_value("uv_triangles", (3, 1), 12), r"uv_triangles\[3, 1\] is 12"),
    (_with_value("uv_triangles", (3, 1), -5), r"uv_triangles\[3, 1\] is -5"),
    (_with_value("neighbors", (2, 0), 4), r"neighbors\[2, 0\] is 4"),
    (_with_value("neighbors", (2, 0), -2), r"neighbors\[2, 0\] is -2"),
    (_with_value("neighbors", (2, 0), -(2**31)), r"neighbors\[2, 0\] is -2147483648"),
    # Values.
    (_with_value("vertices", (1, 2, 0), np.nan), r"vertices\[1, 2, 0\] is not"),
    (_with_value("vertices", (0, 0, 2), np.inf), r"vertices\[0, 0, 2\] is not"),
    (_with_value("uv", (3, 1), -np.inf), r"uv\[3, 1\] is not"),
]


@pytest.mark.parametrize("change, message", INVALID, ids=[m for _, m in INVALID])
def test_invalid_input_is_named(change, message, inputs, render_inputs):
    name, new_value = change
    inputs[name] = new_value(inputs)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        render_inputs(**inputs)


@pytest.mark.parametrize("change, message", INVALID, ids=[m for _, m in INVALID])
def test_gradient_checks_the_same(change, message, inputs, render_inputs):
    picture, triangle_ids = render_inputs(**inputs)
    name, new_value = change
    inputs[name] = new_value(inputs)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        op_library.load_library().render_mesh_grad(
            picture, triangle_ids, *inputs.values()
        )


@pytest.mark.parametrize(
    "options, message",
    [
        ({"margin": -1.0}, "margin must be finite and at least 0"),
        ({"margin": np.nan}, "margin must be finite"),
        ({"margin": np.inf}, "margin must be finite"),
        ({"depth_push": -0.1}, "depth_push must be finite and at least 0"),
        ({"depth_push": np.inf}, "depth_push must be finite"),
    ],
)
def test_invalid_option_is_named(options, message, inputs, render_inputs):
    for backend in ("op", "portable"):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            render_inputs(**inputs, **options, backend=backend)


# Of the rest, `Mesh` checks a part, and the ops of TensorFlow another one.
PORTABLY_INVALID = [
    (change, message)
    for change, message in INVALID
    if re.search("and vertices differ|channels|background must have a", message)
]


@pytest.mark.parametrize(
    "change, message", PORTABLY_INVALID, ids=[m for _, m in PORTABLY_INVALID]
)
def test_portable_backend_checks_sizes(change, message, inputs, render_inputs):
    name, new_value = change
    inputs[name] = new_value(inputs)
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError)):
        render_inputs(**inputs, backend="portable")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_portable_backend_checks_vertices(value, inputs, render_inputs):
    inputs["vertices"][1, 2, 0] = value
    with pytest.raises(tf.errors.InvalidArgumentError, match="vertices must be finite"):
        render_inputs(**inputs, backend="portable")


def test_portable_backend_checks_sizes_that_a_graph_does_not_know(
    inputs, render_inputs
):
    names = ("vertices", "texture", "attributes", "background")

    @tf.function(
        input_signature=[
            {
                name: tf.TensorSpec([None] * inputs[name].ndim, tf.float64)
                for name in names
            }
        ]
    )
    def render(batched):
        return render_inputs(**{**inputs, **batched}, backend="portable")[0]

    batched = {name: tf.constant(inputs[name]) for name in names}
    render(batched)
    for name in ("texture", "attributes", "background"):
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=f"{name} and vertices"
        ):
            render({**batched, name: tf.concat([batched[name]] * 2, 0)})


def test_gradient_checks_what_is_its_own(inputs, render_inputs):
    picture, triangle_ids = render_inputs(**inputs)
    gradient = op_library.load_library().render_mesh_grad
    values = list(inputs.values())
    with pytest.raises(tf.errors.InvalidArgumentError, match="picture_gradient must"):
        gradient(picture[:, :-1], triangle_ids, *values)
    with pytest.raises(tf.errors.InvalidArgumentError, match="triangle_ids must"):
        gradient(picture, triangle_ids[..., None], *values)
    for wrong in (4, -2, 2**31 - 1):
        with pytest.raises(tf.errors.InvalidArgumentError, match="triangle_ids has"):
            gradient(picture, tf.fill(triangle_ids.shape, wrong), *values)


def test_types_are_not_changed_silently(inputs, render_inputs):
    for name in ("uv", "texture", "attributes", "background"):
        wrong = {**inputs, name: inputs[name].astype(np.float32)}
        with pytest.raises(TypeError, match=f"{name} must be float64 like vertices"):
            render_inputs(**wrong)
    for name in ("triangles", "neighbors", "uv_triangles"):
        wrong = {**inputs, name: inputs[name].astype(np.int64)}
        with pytest.raises(TypeError, match=f"{name} must be int32, got int64"):
            render_inputs(**wrong)
    with pytest.raises(TypeError, match="vertices must be float32 or float64"):
        render_inputs(**{**inputs, "vertices": inputs["vertices"].astype(np.int32)})
    # Half precision counts as single.
    with pytest.raises(TypeError, match="texture must be float64 like vertices"):
        render_inputs(**{**inputs, "texture": inputs["texture"].astype(np.float16)})


def test_unknown_backend_is_refused(inputs, render_inputs):
    with pytest.raises(ValueError, match="unknown backend 'gpu'.*'op', 'portable'"):
        render_inputs(**inputs, backend="gpu")


def test_empty_batch(inputs, render_with_gradients):
    for name in ("vertices", "texture", "attributes", "background"):
        inputs[name] = inputs[name][:0]
    picture, triangle_ids, gradients = render_with_gradients(inputs, 1.0)
    assert picture.shape == (0, 6, 8, 4)
    assert triangle_ids.shape == (0, 6, 8)
    for name, gradient in gradients.items():
        assert gradient.shape == inputs[name].shape
        assert not np.any(gradient)


@pytest.mark.parametrize(
    "size", [((1 << 15) + 1, 1 << 15), (1, 2**31 - 1), (2**31 - 1, 1), (1, 2**40)]
)
def test_too_many_pixels_are_refused(size, inputs, render_inputs):
    for name in ("vertices", "texture", "attributes", "background"):
        inputs[name] = inputs[name][:0]
    inputs["background"] = np.zeros([0, *size, 4])
    message = "background has too many pixels"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        render_inputs(**inputs)


def test_colours_may_be_anything(inputs, render_inputs):
    for name in ("texture", "attributes", "background"):
        inputs[name][..., 0] = np.nan
    picture, _ = render_inputs(**inputs)
    assert np.all(np.isfinite(picture.numpy()[..., 1]))


def test_shapes_are_inferred_and_checked_before_running(inputs, render_inputs):
    specs = {
        name: tf.TensorSpec(value.shape, value.dtype) for name, value in inputs.items()
    }

    def trace(**changes):
        graph = tf.function(
            lambda inputs: render_inputs(**inputs)
        ).get_concrete_function({**specs, **changes})
        return [tuple(output.shape) for output in graph.outputs]

    assert trace() == [(2, 6, 8, 4), (2, 6, 8)]
    unknown_batch = tf.TensorSpec([None, None, None, None], tf.float64)
    # The batch size and the channels are also known from the other inputs.
    assert trace(background=unknown_batch) == [(2, None, None, 4), (2, None, None)]
    for name, shape in (("vertices", [2, 12, 4]), ("background", [3, 6, 8, 4])):
        with pytest.raises(ValueError):
            trace(**{name: tf.TensorSpec(shape, tf.float64)})


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_finite_mesh_is_drawn(data, render_inputs):
    """Meshes of no sense whatever: finite colours make a finite picture."""
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    width = 32 if dtype == np.float32 else 64
    numbers = st.one_of(
        st.floats(-3, 12, width=width),
        st.integers(-1, 9).map(lambda half: half / 2),
        st.floats(allow_nan=False, allow_infinity=False, width=width),
    )

    def array(shape, elements):
        size = int(np.prod(shape))
        values = data.draw(st.lists(elements, min_size=size, max_size=size))
        return np.array(values).reshape(shape)

    inputs = {
        "vertices": array([1, 5, 3], numbers).astype(dtype),
        "triangles": array([4, 3], st.integers(0, 4)).astype(np.int32),
        "neighbors": array([4, 3], st.integers(-1, 3)).astype(np.int32),
        "uv": array([3, 2], numbers).astype(dtype),
        "uv_triangles": array([4, 3], st.integers(0, 2)).astype(np.int32),
        "texture": np.ones([1, 2, 3, 1], dtype),
        "attributes": np.ones([1, 5, 1], dtype),
        "background": np.ones([1, 5, 6, 2], dtype),
    }
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    options = {
        "margin": data.draw(st.sampled_from([0.0, 1.0, 3.0])),
        "cull_backfaces": data.draw(st.booleans()),
    }
    with tf.GradientTape() as tape:
        tape.watch(tensors["vertices"])
        picture, triangle_ids = render_inputs(**tensors, **options)
    gradient = tape.gradient(picture, tensors["vertices"])
    # All colours are 1: every weighted mean of them must be.
    np.testing.assert_allclose(picture, np.ones([1, 5, 6, 2]), rtol=1e-4)
    assert np.all(triangle_ids.numpy() >= -1) and np.all(triangle_ids.numpy() < 4)
    assert gradient.shape == inputs["vertices"].shape
