import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.geometry.sphere import uv_to_direction
from tf_unsup3d.models.back_pole import (
    back_pole_window,
    close_back_pole,
    close_texture,
)
from tf_unsup3d.models.generator import Generator
from tf_unsup3d.models.shape_pyramid import sample_vertices
from tf_unsup3d.models.size_constraint import bound_width, fix_size
from tf_unsup3d.rendering.renderer import Renderer

SMALL = dict(
    latent_size=16,
    style_size=16,
    mapping_depth=2,
    texture_resolution=16,
    background_resolution=16,
    shape_resolution=8,
    shape_map_size=16,
    subdivisions=4,
    channel_base=64,
    channel_max=16,
)


@pytest.fixture(scope="module")
def generator():
    keras.utils.set_random_seed(1)
    model = Generator(**SMALL)
    model.build([None, 16])
    return model


def test_scene_has_the_promised_shapes(generator):
    scene = generator(tf.random.stateless_normal([3, 16], [1, 2]))
    assert scene.vertices.shape == (3, 4 * 4 * 4 + 2, 3)
    assert scene.texture.shape == (3, 16, 16, 3)
    assert scene.background.shape == (3, 16, 16, 3)
    assert np.abs(scene.texture).max() <= 1.0


def test_latents_change_everything_and_noise_leaves_the_shape(generator):
    latents = tf.random.stateless_normal([2, 16], [1, 2])
    scene = generator(latents)
    for part in scene:
        assert np.abs(part[0] - part[1]).max() > 1e-4
    for block in generator.object_synthesis.blocks:
        if block.noise:
            block.strengths.assign([1.0, 1.0])
    noisy = generator(latents, noise_seed=tf.constant([3, 4]))
    other = generator(latents, noise_seed=tf.constant([3, 5]))
    np.testing.assert_array_equal(noisy.vertices, other.vertices)
    assert np.abs(noisy.texture - other.texture).max() > 1e-3


def test_size_is_constrained_whatever_the_weights():
    vertices = tf.random.stateless_normal([4, 100, 3], [1, 2]) * 50.0 + 7.0
    fixed = fix_size(vertices, radius=0.65, max_offset=0.3, max_stretch=1.3).numpy()
    centre = fixed.mean(1)
    radius = np.sqrt(np.square(fixed - centre[:, None]).sum(-1).mean(-1))
    np.testing.assert_allclose(radius, 0.65, rtol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(centre, axis=-1), 0.3, rtol=1e-3)


def test_width_is_bounded_smoothly_and_the_inner_part_stays():
    width = 1.6
    steps = np.linspace(-4.0, 4.0, 8001, dtype=np.float32)
    line = np.stack([steps, 0.0 * steps + 0.3, 0.0 * steps - 0.2], -1)[None]
    bounded = bound_width(line, width).numpy()
    x = bounded[0, :, 0]
    np.testing.assert_array_equal(bounded[..., 1:], line[..., 1:])
    assert 0.799 < np.abs(x).max() < 0.8001
    inner = np.abs(steps) <= 0.6
    np.testing.assert_allclose(x[inner], steps[inner], atol=1e-6)
    np.testing.assert_allclose(x, -x[::-1], atol=1e-6)
    slopes = np.diff(x) / np.diff(steps)
    assert slopes.min() > -1e-3 and slopes.max() < 1.0 + 1e-3
    assert np.abs(np.diff(slopes)).max() < 0.02


def test_objects_of_a_generator_are_no_wider_than_the_bound():
    def width(bound):
        keras.utils.set_random_seed(1)
        generator = Generator(**SMALL, max_width=bound)
        generator.build([None, 16])
        scene = generator(tf.random.stateless_normal([2, 16], [1, 2]))
        return np.ptp(scene.vertices[..., 0], axis=1)

    assert width(0.0).min() > 1.0
    assert width(1.0).max() < 1.0001
    with pytest.raises(ValueError, match="max_width must be"):
        Generator(max_width=-1.0)


def test_width_does_not_take_from_a_fixed_depth():
    ball = tf.math.l2_normalize(tf.random.stateless_normal([1, 1000, 3], [1, 2]), -1)
    narrow, wide = (
        tf.math.reduce_std(
            fix_size(ball * [width, 1.0, 1.0], 0.65, 0.3, 1.3, fixed_depth=True)[0], 0
        ).numpy()
        for width in (1.0, 1.2)
    )
    np.testing.assert_allclose(narrow[2], 0.65 / np.sqrt(3.0), rtol=1e-4)
    np.testing.assert_allclose(wide[2], narrow[2], rtol=1e-4)
    np.testing.assert_allclose(wide[0] / narrow[0], 1.2, rtol=0.02)


def test_proportions_are_constrained():
    ball = tf.math.l2_normalize(tf.random.stateless_normal([1, 1000, 3], [1, 2]), -1)

    def extents(scale):
        fixed = fix_size(ball * scale, radius=0.65, max_offset=0.3, max_stretch=1.3)
        return tf.math.reduce_std(fixed[0], 0).numpy()

    needle = extents([1.0, 1.0, 50.0])
    assert needle[2] / needle[0] < 1.3**2
    # A moderate stretch is nearly kept.
    head = extents([0.9, 1.1, 1.0])
    np.testing.assert_allclose(head[1] / head[0], 1.1 / 0.9, rtol=0.05)


def test_shape_is_its_own_mirror_image(generator):
    vertices = generator(tf.random.stateless_normal([1, 16], [1, 2])).vertices[0]
    directions = generator.mesh.directions
    mirrored = directions * [-1.0, 1.0, 1.0]
    pair = np.argmin(
        np.linalg.norm(directions[:, None] - mirrored[None], axis=-1), axis=1
    )
    np.testing.assert_allclose(
        vertices, vertices.numpy()[pair] * [-1.0, 1.0, 1.0], atol=1e-5
    )


def test_back_pole_is_smooth_whatever_the_map():
    window = back_pole_window(32)
    displacement = tf.random.stateless_normal([2, 32, 32, 3], [1, 2]).numpy()
    closed = close_back_pole(displacement, window).numpy()
    centres = (np.arange(32) + 0.5) / 16 - 1.0
    radius = np.hypot(centres[:, None], centres[None, :])
    kept = radius < 0.75
    np.testing.assert_allclose(closed[:, kept], displacement[:, kept], atol=1e-6)
    rim = closed[:, radius >= 1.0]
    np.testing.assert_allclose(rim, np.broadcast_to(rim[:, :1], rim.shape), atol=1e-6)
    # A shift of the whole object stays one.
    shift = tf.ones([1, 32, 32, 3])
    np.testing.assert_allclose(close_back_pole(shift, window), shift, rtol=1e-5)


def test_vertices_are_bilinear_samples(generator):
    size = 32
    centres = (np.arange(size) + 0.5) / size
    u, v = np.meshgrid(centres, centres)
    plane = np.stack([2.0 * u, 3.0 * v, u - v], -1)[None].astype(np.float32)
    mesh = generator.mesh
    sampled = sample_vertices(tf.constant(plane), mesh)[0].numpy()
    uv = np.clip(mesh.uv, 0.5 / size, 1.0 - 0.5 / size)
    expected = np.stack([2.0 * uv[:, 0], 3.0 * uv[:, 1], uv[:, 0] - uv[:, 1]], -1)
    last = len(mesh.directions) - 1
    np.testing.assert_allclose(sampled[:last], expected[:last], atol=1e-5)
    np.testing.assert_allclose(sampled[last], expected[last:].mean(0), atol=1e-5)


def test_config_and_weights_make_the_same_generator(generator):
    twin = Generator.from_config(generator.get_config())
    twin.build([None, 16])
    twin.set_weights(generator.get_weights())
    latents = tf.random.stateless_normal([2, 16], [1, 2])
    for first, second in zip(generator(latents), twin(latents), strict=True):
        np.testing.assert_array_equal(first, second)


def test_every_weight_gets_a_gradient_through_the_renderer(generator):
    renderer = Renderer(resolution=16)
    latents = tf.random.stateless_normal([2, 16], [1, 2])
    views = tf.constant([[0.2, 0.1, 0.0], [-0.4, 0.0, 0.0]])
    with tf.GradientTape() as tape:
        scene = generator(latents, noise_seed=tf.constant([1, 2]))
        pictures = renderer(scene, views, outputs=("picture",))["picture"]
        loss = tf.reduce_sum(pictures * tf.random.stateless_normal([16, 16, 3], [1, 1]))
    gradients = tape.gradient(loss, generator.trainable_variables)
    assert all(gradient is not None for gradient in gradients)
    norms = [float(tf.norm(gradient)) for gradient in gradients]
    assert np.all(np.isfinite(norms)) and np.mean(np.array(norms) > 0.0) > 0.9


def test_there_is_always_a_channel():
    model = Generator(**(SMALL | {"channel_base": 1, "channel_max": 1}))
    model.build([None, 16])
    scene = model(tf.random.stateless_normal([2, 16], [1, 2]))
    for part in scene:
        assert np.all(np.isfinite(part)) and np.std(part) > 0.0


def test_fine_backgrounds_keep_some_channels():
    sizes = {"background_resolution": 16, "channel_base": 32, "channel_max": 16}
    counts = []
    for smallest in (1, 3):
        model = Generator(**(SMALL | sizes | {"background_channel_min": smallest}))
        assert model.object_synthesis.channels[:2] == [8, 4]
        counts.append(model.background_synthesis.channels)
    assert counts == [[4, 2, 1], [4, 3, 3]]


def test_closed_back_has_no_vertices_on_top_of_each_other():
    model = Generator(
        latent_size=16, front_magnification=2.0, closed_back=True, subdivisions=32
    )
    model.build([None, 16])
    latents = tf.random.stateless_normal([2, 16], [1, 2])
    back = model(latents).vertices.numpy()[:, model.mesh.directions[:, 2] > 0.9]
    steps = np.linalg.norm(back[:, :, None] - back[:, None], axis=-1)
    apart = steps[:, ~np.eye(back.shape[1], dtype=bool)]
    assert apart.min() > 0.01


@pytest.mark.parametrize("size", [4, 8, 16])
def test_small_textures_are_closed_as_well(size):
    for magnification in np.linspace(1.0, 8.0, 15):
        closed = close_texture(tf.ones([1, size, size, 3]), magnification)
        np.testing.assert_allclose(closed, 1.0, rtol=1e-5)


@pytest.mark.parametrize("magnification", [1.0, 2.0])
def test_closed_back_has_one_colour_at_the_back_pole(magnification):
    texture = tf.random.stateless_normal([2, 64, 64, 3], [0, 0])
    closed = close_texture(texture, magnification)
    centres = (np.arange(64) + 0.5) / 64
    grid = np.stack(np.meshgrid(centres, centres), -1)
    z = uv_to_direction(grid, magnification)[..., 2]
    front = z < 0.3
    np.testing.assert_allclose(
        closed.numpy()[:, front], texture.numpy()[:, front], atol=1e-5
    )
    back = closed.numpy()[:, z > 0.99]
    np.testing.assert_allclose(back - back[:, :1], 0.0, atol=1e-5)
    assert np.abs(back[:, 0]).max() < 0.5
