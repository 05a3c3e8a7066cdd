"""The list of fragments: the parts of the picture make the whole."""

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d import rendering
from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.geometry.viewpoints import rotate, rotation_matrices
from tf_unsup3d.rendering import op_library
from tf_unsup3d.rendering.camera import PinholeCamera

TOLERANCES = {np.float64: 1e-12, np.float32: 1e-5}


@pytest.fixture
def all_inputs(bumpy_inputs, open_inputs, soup_inputs):
    """Inputs `(seed, **options)` by their kind."""
    return {
        "bumpy": bumpy_inputs,
        "open": open_inputs,
        "behind camera": lambda *args, **options: soup_inputs(
            *args, nearest=-1.5, **options
        ),
    }


def _rasterize(inputs, **options):
    height, width = inputs["background"].shape[1:3]
    mesh = Mesh(inputs["triangles"], neighbors=inputs["neighbors"])
    return rendering.rasterize_mesh(inputs["vertices"], mesh, height, width, **options)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("margin", [0.0, 1.0, 2.5])
@pytest.mark.parametrize(
    "kind, cull_backfaces",
    [("bumpy", True), ("open", False), ("behind camera", True)],
)
def test_parts_make_the_picture_of_render_mesh(
    kind,
    cull_backfaces,
    margin,
    dtype,
    all_inputs,
    render_with_gradients,
    render_in_steps,
):
    options = {"margin": margin, "cull_backfaces": cull_backfaces}
    inputs = all_inputs[kind](int(margin), height=40, width=33, batch=2, dtype=dtype)
    weights = np.random.default_rng(1).normal(size=inputs["background"].shape)
    whole = render_with_gradients(inputs, weights, **options)
    parts = render_with_gradients(inputs, weights, render=render_in_steps, **options)
    tolerance = TOLERANCES[dtype]
    np.testing.assert_array_equal(parts[1], whole[1])
    np.testing.assert_allclose(parts[0], whole[0], atol=tolerance)
    for name, expected in whole[2].items():
        error = np.linalg.norm(parts[2][name] - expected)
        assert error <= tolerance * np.linalg.norm(expected), name


@pytest.mark.parametrize("margin", [0.0, 1.0, 2.5])
def test_fragments_are_what_they_are_said_to_be(margin, open_inputs):
    inputs = open_inputs(2, batch=3)
    fragments = _rasterize(inputs, margin=margin, cull_backfaces=False)
    pixels, weight = fragments.pixels.numpy(), fragments.weight.numpy()
    assert np.all(np.diff(pixels) >= 0)
    assert np.all(weight > 0)
    mask = np.bincount(pixels, weight, minlength=inputs["background"][..., 0].size)
    assert mask.max() <= 1 + 1e-12
    covered = fragments.triangle_ids.numpy().ravel() >= 0
    np.testing.assert_allclose(mask[covered], 1, atol=1e-12)
    assert np.any(mask[~covered] > 0) == (margin > 0)
    barycentric = fragments.barycentric.numpy()
    np.testing.assert_allclose(barycentric.sum(-1), 1, atol=1e-12)
    assert barycentric.min() >= 0
    # The depth is that of the point.
    np.testing.assert_array_equal(fragments.pictures, pixels // (48 * 48))
    depth = rendering.interpolate(
        fragments, inputs["vertices"][..., 2:], inputs["triangles"]
    )
    np.testing.assert_allclose(depth[:, 0], fragments.depth, atol=1e-9)


def test_every_layer_is_listed(quad_inputs, merge_inputs):
    """Many sheets, one behind the other, that all end near one pixel centre."""
    quads = [
        quad_inputs(6, 6, box=(0, 0, 3.45 - 0.06 * k, 6), depths=4 * (1 + 0.5 * k,))
        for k in range(9, -1, -1)
    ]
    fragments = _rasterize(merge_inputs(*quads), margin=1.0)
    weight = fragments.weight.numpy()[fragments.pixels.numpy() == 3]
    # Nearer sheets reach further here, so that the first one hides the others.
    assert len(weight) == 1
    quads = [
        quad_inputs(6, 6, box=(0, 0, 3.45 - 0.06 * k, 6), depths=4 * (10 - 0.5 * k,))
        for k in range(10)
    ]
    fragments = _rasterize(merge_inputs(*quads), margin=1.0)
    weight = fragments.weight.numpy()[fragments.pixels.numpy() == 3]
    np.testing.assert_allclose(weight, [0.41] + 9 * [0.06], atol=1e-6)


def _functional(inputs, weights):
    """Of all that is differentiable in the fragments, in pictures of them."""
    fragments = _rasterize(inputs)
    uv = rendering.interpolate(fragments, inputs["uv"], inputs["uv_triangles"])
    colours = [
        rendering.sample_texture(fragments, inputs["texture"], uv),
        rendering.interpolate(fragments, inputs["attributes"], inputs["triangles"]),
        fragments.depth[:, None] - 11.0,
        fragments.barycentric**2,
    ]
    background = tf.pad(inputs["background"], [[0, 0], [0, 0], [0, 0], [0, 4]])
    picture = rendering.composite(fragments, tf.concat(colours, -1), background)
    return tf.reduce_sum(picture * weights)


@pytest.mark.parametrize(
    "name, scale",
    [
        ("vertices", 0.05),
        ("uv", 0.01),
        ("texture", 1.0),
        ("attributes", 1.0),
        ("background", 1.0),
    ],
)
def test_gradient_by_finite_differences(name, scale, bumpy_inputs, slope_error):
    errors = []
    for seed in range(10):
        inputs = {k: tf.constant(v) for k, v in bumpy_inputs(seed, batch=2).items()}
        rng = np.random.default_rng(1000 + seed)
        weights = rng.normal(size=[*inputs["background"].shape[:3], 7])
        direction = scale * rng.normal(size=inputs[name].shape)

        def along(step, inputs=inputs, weights=weights, direction=direction):
            return _functional(
                {**inputs, name: inputs[name] + step * direction}, weights
            )

        errors.append(slope_error(along))
    assert np.median(errors) < 1e-5
    assert max(errors) < 1e-3


def test_gradient_by_a_camera_parameter():
    sphere = octahedral_sphere(6)
    directions = tf.constant(sphere.directions, tf.float64)
    wave = 1 + 0.2 * tf.sin(5 * directions[:, :1] + 3 * directions[:, 1:2])
    weights = np.random.default_rng(0).normal(size=[1, 40, 40, 3])

    def value(viewpoint):
        points = rotate(0.6 * (wave * directions)[None], rotation_matrices(viewpoint))
        fragments = rendering.rasterize_mesh(
            PinholeCamera(0.5).project(points, 40, 40), sphere, 40, 40
        )
        colours = rendering.interpolate(fragments, directions, sphere.triangles)
        background = tf.zeros([1, 40, 40, 3], tf.float64)
        return tf.reduce_sum(
            weights * rendering.composite(fragments, colours, background)
        )

    viewpoint = tf.constant([[0.3, -0.2, 0.1]], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(viewpoint)
        total = value(viewpoint)
    gradient = tape.gradient(total, viewpoint)[0]
    for axis in range(3):
        step = 1e-7 * tf.one_hot([axis], 3, dtype=tf.float64)
        difference = (value(viewpoint + step) - value(viewpoint - step)) / 2e-7
        np.testing.assert_allclose(gradient[axis], difference, rtol=1e-4)


@pytest.mark.parametrize("margin", [0.0, 1.0, 2.5])
@pytest.mark.parametrize(
    "kind, cull_backfaces",
    [("bumpy", True), ("open", False), ("behind camera", True)],
)
def test_both_backends_list_the_same(kind, cull_backfaces, margin, all_inputs):
    inputs = all_inputs[kind](3, height=24, width=33, batch=2)
    options = {"margin": margin, "cull_backfaces": cull_backfaces}
    expected = _rasterize(inputs, **options)
    fragments = _rasterize(inputs, **options, backend="portable")
    for name, values in expected._asdict().items():
        found = getattr(fragments, name)
        assert found.dtype == values.dtype
        np.testing.assert_allclose(found, values, rtol=1e-9, atol=1e-9, err_msg=name)


def test_repetition_and_batch_do_not_matter(bumpy_inputs):
    inputs = bumpy_inputs(0, height=64, width=48, batch=8, dtype=np.float32)

    def run(inputs):
        vertices = tf.constant(inputs["vertices"])
        with tf.GradientTape() as tape:
            tape.watch(vertices)
            fragments = _rasterize({**inputs, "vertices": vertices})
            value = tf.reduce_sum(fragments.weight**2 * fragments.depth)
        return fragments, tape.gradient(value, vertices)

    fragments, gradient = run(inputs)
    for _ in range(3):
        again, again_gradient = run(inputs)
        for one, other in zip(fragments, again, strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(gradient, again_gradient)
    # Alone a picture is cut into more bands.
    first = {name: inputs[name][:1] for name in ("vertices", "background")}
    alone, alone_gradient = run({**inputs, **first})
    count = len(alone.pixels)
    for one, other in zip(fragments[:5], alone[:5], strict=True):
        np.testing.assert_array_equal(one[:count], other)
    np.testing.assert_allclose(gradient[:1], alone_gradient, rtol=1e-5, atol=1e-7)


def test_triangles_may_be_inputs_of_a_graph(bumpy_inputs):
    inputs = bumpy_inputs(1)
    expected = _rasterize(inputs)
    unknown = tf.TensorSpec([None, 3], tf.int32)

    @tf.function(input_signature=[unknown, unknown])
    def rasterize(triangles, neighbors):
        mesh = Mesh(triangles, neighbors=neighbors)
        return rendering.rasterize_mesh(inputs["vertices"], mesh, 48, 48)

    fragments = rasterize(inputs["triangles"], inputs["neighbors"])
    for one, other in zip(fragments, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_values_at_corners_per_picture(soup_inputs):
    """UVs of each picture, and what is wrong."""
    inputs = soup_inputs(0, batch=2)
    fragments = _rasterize(inputs)
    shared = rendering.interpolate(fragments, inputs["uv"], inputs["uv_triangles"])
    own = rendering.interpolate(
        fragments, np.stack([inputs["uv"], inputs["uv"] + 1]), inputs["uv_triangles"]
    )
    pictures = fragments.pictures.numpy()[:, None]
    np.testing.assert_allclose(own, shared + pictures, atol=1e-12)
    with pytest.raises(ValueError, match=r"got \(2,\)"):
        rendering.interpolate(fragments, np.zeros([2]), inputs["uv_triangles"])
    with pytest.raises(ValueError, match="corners are of 3 pictures, the frag.* of 2"):
        rendering.interpolate(
            fragments, np.stack([inputs["uv"]] * 3), inputs["uv_triangles"]
        )
    with pytest.raises(TypeError, match="attributes must be float64 like the frag"):
        rendering.interpolate(fragments, np.float32(own), inputs["uv_triangles"])
    with pytest.raises(TypeError, match="triangles must be int32"):
        rendering.interpolate(fragments, shared, np.int64(inputs["triangles"]))


def test_textures_and_backgrounds_are_of_the_pictures(soup_inputs):
    inputs = soup_inputs(0, batch=2)
    fragments = _rasterize(inputs)
    count = len(fragments.pixels)
    with pytest.raises(ValueError, match="textures are of 1 pictures, .* of 2"):
        rendering.sample_texture(fragments, inputs["texture"][:1], np.zeros([count, 2]))
    channels = inputs["background"].shape[-1]
    colours = np.zeros([count, channels])
    for wrong in (
        inputs["background"][:1],
        inputs["background"][:, 1:],
        inputs["background"][..., 1:],
    ):
        with pytest.raises(ValueError, match=r"background must be \(2, .*got"):
            rendering.composite(fragments, colours, wrong)


def test_nothing_to_see(soup_inputs):
    for inputs in (
        soup_inputs(0, triangles=0, batch=2),
        soup_inputs(0, batch=0),
    ):
        fragments = _rasterize(inputs)
        assert fragments.pixels.shape == (0,)
        assert fragments.barycentric.shape == (0, 3)
        picture = rendering.composite(fragments, np.zeros([0, 4]), inputs["background"])
        np.testing.assert_array_equal(picture, inputs["background"])


def _pictures_without_vertices(batch):
    nothing = np.zeros([0, 3], np.int32)
    return {
        "vertices": np.zeros([batch, 0, 3]),
        "triangles": nothing,
        "neighbors": nothing,
        "height": 1 << 15,
        "width": 1 << 15,
    }


@pytest.mark.parametrize(
    "change, message",
    [
        ({"vertices": np.zeros([12, 3])}, "vertices must have the shape"),
        ({"triangles": np.zeros([4, 2], np.int32)}, "triangles must have the shape"),
        ({"neighbors": np.zeros([3, 3], np.int32)}, "neighbors and triangles differ"),
        ({"triangles": np.full([4, 3], 12, np.int32)}, r"triangles\[0, 0\] is 12"),
        ({"neighbors": np.full([4, 3], 4, np.int32)}, r"neighbors\[0, 0\] is 4"),
        ({"vertices": np.full([2, 12, 3], np.nan)}, "vertices must be finite"),
        ({"height": 0}, "height and width must be at least 1, got 0 and 8"),
        ({"width": -3}, "height and width must be at least 1, got 6 and -3"),
        ({"height": 1 << 16, "width": 1 << 16}, "too many pixels"),
        ({"height": (1 << 15) + 1, "width": 1 << 15}, "too many pixels.* 1073741824"),
        ({"height": 2**31 - 1, "width": 1}, "too many pixels"),
        ({"height": 1, "width": 2**31 - 1}, "too many pixels"),
        # No vertices, and so no memory: for 2^64 pixels in all, and for 2^63.
        (_pictures_without_vertices(2**34), "vertices has too many pictures.* 1717986"),
        (_pictures_without_vertices(2**33), "vertices has too many pictures.* 8589934"),
        ({"width": [8, 8]}, "width must be one number"),
        ({"margin": -1.0}, "margin must be finite and at least 0"),
    ],
)
def test_invalid_input_is_named(change, message, soup_inputs):
    inputs = soup_inputs(0, triangles=4, batch=2)
    names = ("vertices", "triangles", "neighbors")
    arguments = {name: inputs[name] for name in names}
    arguments.update(height=6, width=8)
    arguments.update(change)
    # Tensors, which nothing but the op checks.
    mesh = Mesh(
        tf.constant(arguments.pop("triangles")),
        neighbors=tf.constant(arguments.pop("neighbors")),
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        rendering.rasterize_mesh(mesh=mesh, **arguments)


def test_the_largest_picture_is_no_error(soup_inputs):
    inputs = soup_inputs(0, triangles=4, batch=0)
    mesh = Mesh(inputs["triangles"], neighbors=inputs["neighbors"])
    for height, width in ((1 << 15, 1 << 15), (1, 1 << 30), (1 << 30, 1)):
        fragments = rendering.rasterize_mesh(inputs["vertices"], mesh, height, width)
        assert fragments.triangle_ids.shape == (0, height, width)


def test_gradient_checks_what_is_its_own(soup_inputs):
    inputs = soup_inputs(0, triangles=4, height=6, width=8, batch=2)
    fragments = _rasterize(inputs)
    arguments = [
        fragments.barycentric,
        fragments.depth,
        fragments.weight,
        fragments.pixels,
        fragments.triangle_ids,
        *(inputs[name] for name in ("vertices", "triangles", "neighbors")),
    ]
    gradient = op_library.load_library().rasterize_mesh_grad
    assert gradient(*arguments).shape == inputs["vertices"].shape
    wrong = [
        (0, arguments[0][:, :2], "barycentric_gradient must have the shape"),
        (1, arguments[1][1:], "depth_gradient must have the shape"),
        (2, arguments[2][:, None], "weight_gradient must have the shape"),
        (3, arguments[3] + 1, "pixels is not that of these vertices"),
        (3, -arguments[3], "pixels is not that of these vertices"),
        (3, arguments[3][::-1], "pixels is not that of these vertices"),
        (4, arguments[4][:1], "triangle_ids must have the shape"),
        (4, tf.fill(arguments[4].shape, 2**31 - 1), "triangle_ids is not that of"),
        (5, arguments[5] + 0.5, "is not that of these vertices"),
    ]
    for index, value, message in wrong:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            gradient(*arguments[:index], value, *arguments[index + 1 :])
    # One fragment more than there are, before the pictures, after them, or among them.
    more = [tf.concat([value, value[-1:]], axis=0) for value in arguments[:3]]
    for pixels, message in [
        ([-1, *arguments[3]], "outside of the pictures"),
        ([*arguments[3], 2 * 6 * 8], "outside of the pictures"),
        ([*arguments[3], 0], "pixels is not that of these vertices"),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            gradient(*more, tf.stack(pixels), *arguments[4:])


def test_shapes_are_inferred(soup_inputs):
    inputs = soup_inputs(0, triangles=4, batch=2)

    @tf.function
    def trace(vertices, height):
        mesh = Mesh(inputs["triangles"])
        fragments = rendering.rasterize_mesh(vertices, mesh, height, 8)
        assert fragments.barycentric.shape.as_list() == [None, 3]
        assert fragments.weight.shape.as_list() == [None]
        return fragments.triangle_ids

    unknown = tf.TensorSpec([None, None, 3], tf.float64)
    graph = trace.get_concrete_function(unknown, tf.TensorSpec([], tf.int32))
    assert graph.outputs[0].shape.as_list() == [None, None, 8]
    graph = trace.get_concrete_function(tf.TensorSpec([2, 12, 3], tf.float64), 6)
    assert graph.outputs[0].shape.as_list() == [2, 6, 8]
