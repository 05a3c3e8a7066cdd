"""The renderer within TensorFlow's own machinery: graphs, precision, replicas, pfor."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.rendering.scene import Scene


@pytest.fixture
def inputs(bumpy_inputs):
    return bumpy_inputs(
        0, subdivisions=3, height=16, width=12, batch=2, dtype=np.float32
    )


@pytest.fixture(params=["render_mesh", "steps"])
def render(request, render_inputs, render_in_steps):
    return render_inputs if request.param == "render_mesh" else render_in_steps


def test_import_does_not_load_the_op():
    program = (
        "from tf_unsup3d import rendering\n"
        "from tf_unsup3d.rendering import op_library\n"
        "assert op_library.load_library.cache_info().currsize == 0\n"
        "for name in rendering.__all__:\n"
        "    assert callable(getattr(rendering, name)), name\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_graph_of_unknown_batch_size(inputs, render):
    batched = ("vertices", "texture", "attributes", "background")
    specs = {
        name: tf.TensorSpec(
            [None, *value.shape[1:]] if name in batched else value.shape, value.dtype
        )
        for name, value in inputs.items()
    }

    @tf.function(input_signature=[specs])
    def render_and_differentiate(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs["vertices"])
            picture, _ = render(**inputs)
            value = tf.reduce_sum(picture**2)
        return picture, tape.gradient(value, inputs["vertices"])

    for count in (2, 1, 0):
        part = {
            name: value[:count] if name in batched else value
            for name, value in inputs.items()
        }
        picture, gradient = render_and_differentiate(part)
        expected, _ = render(**part)
        np.testing.assert_allclose(picture, expected, atol=1e-6)
        assert gradient.shape == part["vertices"].shape


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_half_precision_is_rendered_in_single(dtype, inputs, render):
    real = ("uv", "texture", "attributes", "background")
    half = {name: tf.cast(inputs[name], dtype) for name in real}
    widened = {name: tf.cast(value, tf.float32) for name, value in half.items()}
    with tf.GradientTape() as tape:
        tape.watch(half)
        picture, _ = render(**{**inputs, **half})
        value = tf.reduce_sum(picture**2)
    expected, _ = render(**{**inputs, **widened})
    assert picture.dtype == tf.float32
    np.testing.assert_array_equal(picture, expected)
    for name, gradient in tape.gradient(value, half).items():
        assert gradient.dtype == dtype, name
    # Vertices too, though only for the sake of gradients does one want that.
    vertices = tf.cast(inputs["vertices"], dtype)
    picture, _ = render(**{**inputs, "vertices": vertices})
    exact, _ = render(**{**inputs, "vertices": tf.cast(vertices, tf.float32)})
    np.testing.assert_array_equal(picture, exact)


def test_layer_renders_in_single_under_a_mixed_policy():
    scene = Scene(
        0.5 * tf.constant(octahedral_sphere(4).directions[None]),
        tf.random.stateless_uniform([1, 8, 8, 3], [0, 1], -1.0, 1.0),
        tf.zeros([1, 16, 16, 3]),
    )
    viewpoints = tf.constant([[0.3, 0.1, 0.0]])
    expected = Renderer(16)(scene, viewpoints)
    half = Scene(scene.vertices, *(tf.cast(x, tf.bfloat16) for x in scene[1:]))
    drawn = Renderer(16, dtype="mixed_bfloat16")(half, viewpoints)
    assert drawn["picture"].dtype == drawn["mask"].dtype == tf.float32
    np.testing.assert_allclose(drawn["picture"], expected["picture"], atol=0.02)


REPLICAS = textwrap.dedent(
    """
    import sys
    import numpy as np
    import tensorflow as tf
    from tf_unsup3d import rendering

    cpu, = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * int(sys.argv[1])
    )
    strategy = tf.distribute.MirroredStrategy(tf.config.list_logical_devices("CPU"))
    assert strategy.num_replicas_in_sync == int(sys.argv[1])
    from tf_unsup3d.rendering.camera import PinholeCamera
    from tf_unsup3d.geometry.sphere import octahedral_sphere

    sphere = octahedral_sphere(4)
    with strategy.scope():
        radius = tf.Variable(0.5)

    def step(offset):
        with tf.GradientTape() as tape:
            points = radius * sphere.directions[None] + offset[:, None]
            pixels = PinholeCamera().project(points, 24, 24)
            fragments = rendering.rasterize_mesh(pixels, sphere, 24, 24)
            colours = tf.ones_like(fragments.depth)[:, None]
            background = tf.zeros([tf.shape(offset)[0], 24, 24, 1])
            mask = rendering.composite(fragments, colours, background)
            drawn = rendering.render_mesh(
                pixels, sphere, attributes=tf.ones_like(pixels[..., :1]),
                height=24, width=24,
            )
            area = tf.reduce_sum(mask + 2 * drawn["picture"])
        return area, tape.gradient(area, radius)

    offsets = tf.constant([[0.1, 0.2, 0.0], [-0.1, 0.05, 0.3]])
    data = strategy.experimental_distribute_dataset(
        tf.data.Dataset.from_tensor_slices(offsets).batch(2)
    )
    run = tf.function(lambda batch: strategy.run(step, [batch]))
    values = run(next(iter(data)))
    print("sums", *(float(strategy.reduce("SUM", x, axis=None)) for x in values))
    """
)


def test_replicas():
    sums = []
    for count in ("1", "2"):
        result = subprocess.run(
            [sys.executable, "-c", REPLICAS, count],
            capture_output=True,
            text=True,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        )
        assert result.returncode == 0, result.stderr
        line = next(x for x in result.stdout.splitlines() if x.startswith("sums "))
        sums.append([float(number) for number in line.split()[1:]])
    assert np.all(np.array(sums) > 100)
    np.testing.assert_allclose(sums[0], sums[1], rtol=1e-5)


def test_vectorized_map_falls_back_to_a_loop(inputs, render_inputs):
    """It renders one picture at a time; a batch at once is faster."""
    constants = {name: tf.constant(value[:1]) for name, value in inputs.items()}
    for name in ("triangles", "neighbors", "uv", "uv_triangles"):
        constants[name] = tf.constant(inputs[name])

    def value_and_gradient(vertices):
        with tf.GradientTape() as tape:
            tape.watch(vertices)
            picture, _ = render_inputs(**{**constants, "vertices": vertices[None]})
            value = tf.reduce_sum(picture**2)
        return picture, tape.gradient(value, vertices)

    vertices = tf.constant(inputs["vertices"])
    pictures, gradients = tf.vectorized_map(value_and_gradient, vertices)
    for index in range(2):
        picture, gradient = value_and_gradient(vertices[index])
        np.testing.assert_allclose(pictures[index], picture, atol=1e-6)
        np.testing.assert_allclose(gradients[index], gradient, rtol=1e-4, atol=1e-4)


def test_vectorized_map_has_no_place_for_lists_of_any_length(inputs, render_in_steps):
    constants = {name: tf.constant(value) for name, value in inputs.items()}
    for name in ("texture", "attributes", "background"):
        constants[name] = constants[name][:1]

    def render(vertices):
        return render_in_steps(**{**constants, "vertices": vertices[None]})[0]

    with pytest.raises(tf.errors.InvalidArgumentError, match="RasterizeMesh"):
        tf.vectorized_map(render, tf.constant(inputs["vertices"]))


def test_just_in_time_compilation_says_what_stops_it(inputs, render):
    constants = {name: tf.constant(value) for name, value in inputs.items()}
    compiled = tf.function(lambda: render(**constants)[0], jit_compile=True)
    message = "unsupported operations.*(RenderMesh|RasterizeMesh)"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        compiled()
