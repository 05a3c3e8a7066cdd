import math

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.rendering.lighting import Lights, RandomLamps, brightness, lamp
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.rendering.scene import Scene

VIEWPOINTS = tf.constant([[0.3, 0.1, 0.0], [-0.5, 0.0, 0.0]])


@pytest.fixture
def scene():
    mesh = octahedral_sphere(8)
    generator = np.random.default_rng(0)
    bumps = generator.uniform(0.5, 0.7, [2, len(mesh.directions), 1])
    return Scene(
        tf.constant(bumps * mesh.directions, tf.float32),
        tf.constant(generator.uniform(-1.0, 1.0, [2, 8, 8, 3]), tf.float32),
        tf.constant(generator.uniform(-1.0, 1.0, [2, 16, 16, 3]), tf.float32),
    )


def draw(scene, light_seed=None, **arguments):
    renderer = Renderer(resolution=24, **arguments)
    viewpoints = VIEWPOINTS[: len(scene.vertices)]
    drawn = renderer(scene, viewpoints, light_seed=light_seed)
    return drawn["picture"], drawn["mask"]


def test_brightness_is_lamberts():
    generator = np.random.default_rng(1)
    normals = generator.normal(size=[2, 5, 3])
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    lamps = np.array([[0.0, 0.0, -1.0], [0.6, -0.8, 0.0]])
    ambient = np.array([0.25, 0.5])
    lights = Lights(tf.constant(lamps), tf.constant(ambient))
    result = brightness(tf.constant(normals), lights)
    for picture in range(2):
        for point in range(5):
            cosine = max(0.0, normals[picture, point] @ lamps[picture])
            linear = ambient[picture] + (1.0 - ambient[picture]) * cosine
            assert float(result[picture, point, 0]) == pytest.approx(
                linear ** (1.0 / 2.2)
            )


def test_fill_light_shares_the_light_with_the_lamp():
    right, left = tf.constant([[1.0, 0.0, 0.0]]), tf.constant([[-1.0, 0.0, 0.0]])
    normals = tf.stack([right, left], 1)
    lights = Lights(right, tf.constant([0.0]), left, tf.constant([0.5]))
    lit = brightness(normals, lights).numpy()[0, :, 0] ** 2.2
    np.testing.assert_allclose(lit, [2.0 / 3.0, 1.0 / 3.0], rtol=1e-5)


def test_fill_light_is_on_the_other_side_and_leaves_the_lamp_alone():
    seed = tf.constant([1, 2], tf.int64)
    plain = RandomLamps().sample(500, seed)
    lights = RandomLamps(fill=0.8).sample(500, seed)
    assert plain.fill is None and plain.fill_direction is None
    np.testing.assert_array_equal(lights.direction, plain.direction)
    np.testing.assert_array_equal(lights.ambient, plain.ambient)
    sides = lights.direction[:, 0] * lights.fill_direction[:, 0]
    assert np.all(sides <= 0.0)
    fill = lights.fill.numpy()
    assert 0.0 <= fill.min() < 0.02 and 0.78 < fill.max() <= 0.8
    assert abs(np.corrcoef(fill, lights.ambient)[0, 1]) < 0.15
    middle = RandomLamps(fill=0.8).middle(2)
    np.testing.assert_allclose(middle.fill, 0.4)


def test_lamps_stay_in_their_ranges():
    lamps = RandomLamps(azimuth=40.0, elevation=(-5.0, 30.0), ambient=(0.2, 0.3))
    direction, ambient, *_ = lamps.sample(2000, tf.constant([1, 2]))
    x, y, z = np.moveaxis(direction.numpy(), -1, 0)
    azimuth, elevation = np.degrees(np.arctan2(x, -z)), np.degrees(np.arcsin(-y))
    np.testing.assert_allclose(np.hypot(np.hypot(x, y), z), 1.0, atol=1e-6)
    for values, low, high in (
        (azimuth, -40.0, 40.0),
        (elevation, -5.0, 30.0),
        (ambient.numpy(), 0.2, 0.3),
    ):
        width = high - low
        assert low - 1e-3 <= values.min() < low + 0.02 * width
        assert high - 0.02 * width < values.max() <= high + 1e-3


@pytest.mark.parametrize(
    "values, message",
    [
        ({"azimuth": -1.0}, "azimuth must be finite and at least 0, got -1.0"),
        ({"azimuth": math.nan}, "azimuth must be finite"),
        ({"azimuth": math.inf}, "azimuth must be finite"),
        ({"elevation": (1.0,)}, "elevation must be a lowest and a highest value"),
        ({"elevation": (30.0, -5.0)}, "elevation must be a lowest and a highest value"),
        ({"elevation": (math.nan, 5.0)}, "elevation must be a lowest and a highest"),
        ({"elevation": (0.0, math.inf)}, "elevation must be finite"),
        ({"ambient": (0.6, 0.3)}, "ambient must be a lowest and a highest value"),
        ({"ambient": (0.3, math.nan)}, "ambient must be a lowest and a highest value"),
        ({"ambient": (0.0, 0.5)}, r"ambient must be above 0 and at most 1, got \(0.0"),
        ({"ambient": (-0.1, 0.5)}, "ambient must be above 0 and at most 1"),
        ({"ambient": (0.3, 1.1)}, "ambient must be above 0 and at most 1"),
        ({"fill": 1.5}, "fill must be from 0 to 1"),
    ],
)
def test_lamps_that_make_no_sense_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        RandomLamps(**values)


def test_gradients_are_finite_where_no_lamp_reaches():
    away = tf.constant([[[0.0, 0.0, 1.0]]])
    with tf.GradientTape() as tape:
        tape.watch(away)
        lights = RandomLamps(ambient=(1e-6, 1e-6)).middle(1)
        dark = brightness(away, lights)
    assert np.isfinite(tape.gradient(dark, away)).all()


def test_lamps_are_drawn_of_the_seed():
    lamps = RandomLamps()
    first, again, other = (lamps.sample(3, tf.constant([s, 0])) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.direction, again.direction)
    assert np.abs(first.direction - other.direction).min() > 0.0
    middle = lamps.middle(2)
    np.testing.assert_array_equal(middle.direction[0], middle.direction[1])
    height = math.sin(math.radians(25.0))
    np.testing.assert_allclose(middle.direction[0, :2], [0.0, -height], atol=1e-6)


def test_ambient_light_alone_shows_the_texture_as_it_is(scene):
    lamps = RandomLamps(ambient=(1.0, 1.0))
    lit, masks = draw(scene, tf.constant([1, 2]), lamps=lamps)
    plain, plain_masks = draw(scene)
    np.testing.assert_allclose(lit, plain, atol=1e-5)
    np.testing.assert_allclose(masks, plain_masks, atol=1e-6)


def test_light_darkens_the_object_and_not_the_background(scene):
    lit, masks = draw(scene, tf.constant([1, 2]), lamps=RandomLamps())
    plain, _ = draw(scene)
    inside, outside = masks.numpy() > 0.999, masks.numpy() == 0.0
    change = lit.numpy() - plain.numpy()
    np.testing.assert_allclose(change[outside[..., 0]], 0.0, atol=1e-6)
    assert change[inside[..., 0]].max() < 1e-5
    assert change[inside[..., 0]].mean() < -0.05


def test_lamp_stays_while_the_object_turns():
    mesh = octahedral_sphere(32)
    ball = tf.constant(0.6 * np.stack([mesh.directions] * 2), tf.float32)
    white = Scene(ball, tf.ones([2, 4, 4, 3]), -tf.ones([2, 8, 8, 3]))
    lamps = RandomLamps(azimuth=0.0, elevation=(50.0, 50.0))
    views = tf.constant([[0.0, 0.0, 0.0], [0.5 * math.pi, 0.0, 0.0]])
    renderer = Renderer(resolution=24, lamps=lamps)
    front, side = renderer(white, views)["picture"].numpy()
    # A ball looks the same from all sides, but for its triangles.
    np.testing.assert_allclose(front, side, atol=0.02)
    # Up is brighter, as the lamp stands above.
    assert front[8, 12].min() > front[16, 12].max() + 0.1


def test_shading_pulls_at_the_shape_within_the_outline(scene):
    # A white object in one light everywhere gives no gradient there without shading.
    white = scene._replace(texture=tf.ones_like(scene.texture))
    weights = tf.random.stateless_normal([2, 8, 8, 3], [1, 2])
    totals = []
    for lamps in (None, RandomLamps()):
        with tf.GradientTape() as tape:
            tape.watch(white.vertices)
            picture, _ = draw(white, tf.constant([1, 2]), lamps=lamps)
            value = tf.reduce_sum(weights * picture[:, 8:16, 8:16])
        gradient = tape.gradient(value, white.vertices)
        assert bool(tf.reduce_all(tf.math.is_finite(gradient)))
        totals.append(float(tf.reduce_max(tf.abs(gradient))))
    assert totals[0] < 1e-4 < 1e-2 < totals[1]


def test_lamp_stays_with_a_camera_that_rolls(scene):
    c, s = math.cos(0.7), math.sin(0.7)
    pose = np.array(PinholeCamera().pose)
    pose[:, :3] = [[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]
    # The background follows yaw and pitch alone.
    still = dict(resolution=24, lamps=RandomLamps(), background_range=(0.0, 0.0))
    names = ("picture", "mask", "normals", "depth")
    rolled = VIEWPOINTS + [[0.0, 0.0, 0.7]]
    expected = Renderer(**still)(scene, rolled, outputs=names)
    camera = PinholeCamera(pose=pose)
    drawn = Renderer(camera=camera, **still)(scene, VIEWPOINTS, outputs=names)
    for name in names:
        np.testing.assert_allclose(drawn[name], expected[name], atol=1e-3, err_msg=name)


@pytest.mark.parametrize("fill", [0.0, 0.7])
def test_lights_can_be_passed_in_place_of_a_seed(scene, fill):
    seed = tf.constant([1, 2])
    lamps = RandomLamps(fill=fill)
    renderer = Renderer(resolution=24, lamps=lamps)
    expected = renderer(scene, VIEWPOINTS, light_seed=seed)["picture"]
    parameters = lamps.sample_parameters(2, seed)
    assert parameters.shape == (2, lamps.parameters)
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        lights = lamps.lights(parameters)
        picture = renderer(scene, VIEWPOINTS, lights=lights)["picture"]
    np.testing.assert_array_equal(picture, expected)
    assert np.abs(tape.gradient(picture, parameters)).min() > 0.0
    # They light pictures of a renderer without lamps, too.
    without = Renderer(resolution=24)(scene, VIEWPOINTS, lights=lights)["picture"]
    np.testing.assert_array_equal(without, expected)


def test_a_lamp_stands_at_its_angles():
    lights = lamp(2, azimuth_degrees=90.0, elevation_degrees=0.0, ambient=0.25)
    np.testing.assert_allclose(lights.direction, [[1.0, 0.0, 0.0]] * 2, atol=1e-6)
    np.testing.assert_allclose(lights.ambient, 0.25)
    above = lamp(1, azimuth_degrees=0.0, elevation_degrees=90.0, ambient=0.25)
    np.testing.assert_allclose(above.direction, [[0.0, -1.0, 0.0]], atol=1e-6)
