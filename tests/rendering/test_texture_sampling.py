"""Texture sampling by itself: mipmaps and their footprint."""

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d import rendering


@pytest.fixture
def sample(mesh_of):
    """Draws the picture of the texture alone, before black."""

    def draw(inputs, mipmaps=True, **options):
        mesh, vertices = mesh_of(inputs), inputs["vertices"]
        height, width = inputs["background"].shape[1:3]
        fragments = rendering.rasterize_mesh(vertices, mesh, height, width, **options)
        footprint = None
        if mipmaps:
            footprint = rendering.uv_footprint(fragments, vertices, mesh)
        uv = rendering.interpolate_uv(fragments, mesh)
        colours = rendering.sample_texture(
            fragments, inputs["texture"], uv, footprint=footprint
        )
        channels = inputs["texture"].shape[-1]
        background = inputs["background"][..., :channels]
        return rendering.composite(fragments, colours, background)

    return draw


def _checkerboard(size):
    board = np.indices([size, size]).sum(0) % 2
    return board[..., None].astype(np.float64)


@pytest.mark.parametrize("cull_backfaces", [True, False])
def test_footprint_is_the_derivative_of_the_uv(cull_backfaces, soup_inputs, mesh_of):
    inputs = soup_inputs(3, triangles=12, height=16, width=20, nearest=-1.0, batch=2)
    mesh, vertices = mesh_of(inputs), tf.constant(inputs["vertices"])
    step = 1e-6

    def rasterize(shift):
        return rendering.rasterize_mesh(
            vertices + np.append(shift, 0) * vertices[..., 2:],
            mesh,
            16,
            20,
            margin=0.0,
            cull_backfaces=cull_backfaces,
        )

    fragments = rasterize([0, 0])
    footprint = rendering.uv_footprint(fragments, vertices, mesh)
    assert len(footprint) > 50
    for axis in range(2):
        # To look one step further is to move everything back by it.
        shifted = [rasterize(-sign * step * np.eye(2)[axis]) for sign in (1, -1)]
        uvs = [rendering.interpolate_uv(moved, mesh) for moved in shifted]
        difference = (uvs[0] - uvs[1]) / (2 * step)
        np.testing.assert_allclose(footprint[:, axis], difference, rtol=1e-4, atol=1e-6)


def test_footprint_of_soft_fragments(quad_inputs, mesh_of):
    """It continues from the edge: a parallel one is the same everywhere."""
    inputs = quad_inputs(16, 16, box=(2.3, 3.3, 10.3, 7.3), depths=(3, 3, 3, 3))
    mesh = mesh_of(inputs)
    fragments = rendering.rasterize_mesh(inputs["vertices"], mesh, 16, 16)
    assert np.any(fragments.weight.numpy() < 1)
    footprint = rendering.uv_footprint(fragments, inputs["vertices"], mesh)
    expected = np.broadcast_to(np.diag([1 / 8, 1 / 4]), footprint.shape)
    np.testing.assert_allclose(footprint, expected, atol=1e-12)


def test_footprint_of_a_triangle_without_volume_is_a_point(quad_inputs, mesh_of):
    """Rounding may let the rasterizer show one."""
    inputs = quad_inputs(16, 16)
    mesh, vertices = mesh_of(inputs), tf.constant(inputs["vertices"])
    fragments = rendering.rasterize_mesh(vertices, mesh, 16, 16)
    one_point = tf.ones_like(vertices)
    with tf.GradientTape() as tape:
        tape.watch(one_point)
        footprint = rendering.uv_footprint(fragments, one_point, mesh)
    assert len(footprint) and np.all(footprint.numpy() == 0)
    assert np.all(np.isfinite(tape.gradient(footprint, one_point)))


def test_unknown_footprint_shows_the_texture_itself(quad_inputs, mesh_of):
    inputs = quad_inputs(16, 16)
    mesh = mesh_of(inputs)
    fragments = rendering.rasterize_mesh(inputs["vertices"], mesh, 16, 16)
    uv = rendering.interpolate_uv(fragments, mesh)
    nowhere = tf.fill([len(fragments.pixels), 2, 2], tf.constant(np.nan, uv.dtype))
    sampled, bilinear = (
        rendering.sample_texture(fragments, inputs["texture"], uv, footprint=footprint)
        for footprint in (nowhere, None)
    )
    np.testing.assert_array_equal(sampled, bilinear)


def test_magnified_texture_is_bilinear(quad_inputs, sample):
    texture = np.random.default_rng(0).normal(size=[4, 4, 2])
    inputs = quad_inputs(24, 24, texture=texture, depths=(4, 4, 3, 3))
    np.testing.assert_array_equal(sample(inputs), sample(inputs, mipmaps=False))


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_whole_levels_are_means_of_blocks(level, quad_inputs, sample):
    texture = np.random.default_rng(0).normal(size=[48, 48, 2])
    size = 48 // 2**level
    inputs = quad_inputs(size, size, texture=texture)
    blocks = texture.reshape(size, 2**level, size, 2**level, 2).mean((1, 3))
    np.testing.assert_allclose(sample(inputs)[0], blocks, atol=1e-12)


def test_levels_end_where_a_side_is_odd(quad_inputs, sample):
    texture = np.random.default_rng(0).normal(size=[12, 20, 1])
    inputs = quad_inputs(1, 1, texture=texture)
    # Of 3 x 5 texels, the last level, the middle one.
    np.testing.assert_allclose(
        sample(inputs)[0, 0, 0], texture[4:8, 8:12].mean((0, 1)), atol=1e-12
    )


def test_minified_texture_does_not_alias(quad_inputs, sample):
    # Tilted away: the upper rows hold many texels to a pixel, in both directions.
    inputs = quad_inputs(
        24,
        24,
        texture=_checkerboard(256),
        box=(4.2, 3.1, 20.4, 21.3),
        depths=(4, 4, 2, 2),
    )
    inside = np.s_[0, 6:19, 7:18, 0]
    assert np.std(sample(inputs, mipmaps=False)[inside]) > 0.1
    np.testing.assert_allclose(sample(inputs)[inside], 0.5, atol=1e-9)


@pytest.mark.parametrize(
    "name, scale", [("vertices", 0.05), ("uv", 0.01), ("texture", 1.0)]
)
def test_gradient_by_finite_differences(name, scale, bumpy_inputs, slope_error, sample):
    """Of the level of detail, too: the texture has 64 texels to 24 pixels."""
    errors = []
    for seed in range(10):
        inputs = bumpy_inputs(seed, height=24, width=24, texture_size=64, batch=2)
        inputs = {key: tf.constant(value) for key, value in inputs.items()}
        rng = np.random.default_rng(1000 + seed)
        weights = rng.normal(size=[2, 24, 24, 2])
        direction = scale * rng.normal(size=inputs[name].shape)

        def along(step, inputs=inputs, weights=weights, direction=direction):
            moved = {**inputs, name: inputs[name] + step * direction}
            return tf.reduce_sum(sample(moved) * weights)

        errors.append(slope_error(along))
    assert np.median(errors) < 1e-5
    assert max(errors) < 1e-3


def test_gradient_reaches_all_texels_that_are_seen(quad_inputs, sample):
    inputs = quad_inputs(8, 8, texture=np.zeros([64, 64, 1]))
    reached = {}
    for mipmaps in (False, True):
        texture = tf.constant(inputs["texture"])
        with tf.GradientTape() as tape:
            tape.watch(texture)
            value = tf.reduce_sum(sample({**inputs, "texture": texture}, mipmaps))
        gradient = tf.convert_to_tensor(tape.gradient(value, texture))
        reached[mipmaps] = np.mean(gradient.numpy() > 0)
    assert reached[False] <= 4 / 64
    assert reached[True] == 1


def test_mipmaps_take_a_known_size(quad_inputs, sample):
    inputs = quad_inputs(4, 4)

    @tf.function(input_signature=[tf.TensorSpec([1, None, 4, 1], tf.float64)])
    def trace(texture):
        return sample({**inputs, "texture": texture})

    with pytest.raises(ValueError, match="known height and width"):
        trace(inputs["texture"])
