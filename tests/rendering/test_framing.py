import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.rendering.framing import Framing
from tf_unsup3d.rendering.lighting import RandomLamps
from tf_unsup3d.rendering.renderer import OUTPUTS, Renderer
from tf_unsup3d.rendering.scene import Scene

SIZE = 32


def scene():
    """An uneven ball before a backdrop that differs from point to point."""
    rng = np.random.default_rng(0)
    directions = octahedral_sphere(16).directions
    vertices = 0.45 * directions * rng.uniform(0.95, 1.05, [len(directions), 1])
    colours = rng.uniform(-1.0, 1.0, [2, 1, 4, 4, 3])
    texture, background = (tf.image.resize(value, [48, 48]) for value in colours)
    return Scene(tf.constant(vertices[None], tf.float32), texture, background)


def framing(right=0.0, down=0.0, scale=1.0):
    return Framing(tf.constant([[right, down]]), tf.constant([scale]))


def draw(renderer, *, framing=None, viewpoint=(0.3, 0.1, 0.0)):
    views = tf.constant([viewpoint])
    drawn = renderer(scene(), views, outputs=OUTPUTS, framing=framing)
    return {name: value.numpy()[0] for name, value in drawn.items()}


@pytest.mark.parametrize("lamps", [None, RandomLamps()], ids=["unlit", "lit"])
def test_pictures_move_by_whole_pixels_as_if_they_were_cropped(lamps):
    renderer = Renderer(resolution=SIZE, lamps=lamps, background_coverage=2.0)
    plain = draw(renderer)
    moved = draw(renderer, framing=framing(right=3 / SIZE, down=-5 / SIZE))
    for name in ("mask", "depth", "normals"):
        expected = np.roll(plain[name], (-5, 3), (0, 1))
        np.testing.assert_allclose(moved[name], expected, atol=1e-3)
    # Crops of backdrops sample corner to corner, so pixels are not whole there.
    inner = np.s_[:-5, 3:]
    expected = np.roll(plain["picture"], (-5, 3), (0, 1))
    np.testing.assert_allclose(moved["picture"][inner], expected[inner], atol=0.05)


def test_pictures_are_enlarged_about_their_middle():
    small = Renderer(resolution=SIZE, background_coverage=2.0)
    large = small.replace(resolution=2 * SIZE)
    enlarged = draw(small, framing=framing(scale=2.0))
    whole = draw(large)
    half = SIZE // 2
    middle = np.s_[half:-half, half:-half]
    for name in ("mask", "depth", "normals"):
        np.testing.assert_allclose(enlarged[name], whole[name][middle], atol=1e-3)
    expected = whole["picture"][middle]
    np.testing.assert_allclose(enlarged["picture"], expected, atol=0.1)


def test_the_default_framing_changes_nothing():
    renderer = Renderer(resolution=SIZE)
    framed = draw(renderer, framing=framing())
    for name, value in draw(renderer).items():
        np.testing.assert_allclose(framed[name], value, atol=1e-5)


def test_crops_stay_within_the_backdrop():
    corners = tf.constant([[0.0, 0.4], [0.2, 0.4], [0.4, 0.0]])
    shift = tf.constant([[0.5, 0.5], [0.0, 0.0], [-0.5, -0.5]])
    for scale in (0.1, 0.8, 1.0, 3.0):
        moved, sizes = Framing(shift, tf.fill([3], scale)).move_crops(corners, 0.6)
        np.testing.assert_allclose(sizes, min(1.0, 0.6 / scale), rtol=1e-6)
        assert np.all(moved >= 0.0) and np.all(moved + sizes <= 1.0 + 1e-6)


def test_each_picture_has_a_framing_of_its_own_that_gradients_reach():
    renderer = Renderer(resolution=SIZE)
    one = scene()
    two = Scene(*(tf.repeat(value, 2, 0) for value in one))
    shift = tf.constant([[0.1, 0.0], [0.0, 0.0]])
    scale = tf.constant([1.0, 1.2])
    with tf.GradientTape() as tape:
        tape.watch([shift, scale])
        drawn = renderer(two, tf.zeros([2, 3]), framing=Framing(shift, scale))
        loss = tf.reduce_sum(drawn["mask"] * tf.linspace(0.0, 1.0, SIZE)[:, None])
    for gradient in tape.gradient(loss, [shift, scale]):
        assert np.all(np.isfinite(gradient)) and np.abs(gradient).max() > 1.0
    alone = renderer(one, tf.zeros([1, 3]), framing=Framing(shift[1:], scale[1:]))
    np.testing.assert_allclose(drawn["mask"][1], alone["mask"][0], atol=1e-5)
