import itertools
import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.geometry.sphere import octahedral_sphere, uv_to_direction
from tf_unsup3d.rendering import renderer as renderer_module
from tf_unsup3d.rendering.background import crop_background
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.rendering.lighting import RandomLamps
from tf_unsup3d.rendering.renderer import OUTPUTS, Renderer
from tf_unsup3d.rendering.scene import Scene

FRONT = tf.zeros([1, 3])
LAMPS = pytest.mark.parametrize("lamps", [None, RandomLamps()], ids=["unlit", "lit"])


def ball(radius=0.5, subdivisions=16):
    directions = octahedral_sphere(subdivisions).directions
    vertices = tf.constant(radius * directions[None])
    return Scene(vertices, tf.ones([1, 8, 8, 3]), -tf.ones([1, 16, 16, 3]))


def test_ball_before_its_background():
    drawn = Renderer(resolution=32)(ball(), FRONT)
    assert list(drawn) == ["picture", "mask"]
    pictures, masks = drawn["picture"], drawn["mask"]
    np.testing.assert_allclose(pictures[0, 16, 16], 1.0, atol=1e-6)
    np.testing.assert_allclose(pictures[0, 0, 0], -1.0, atol=1e-6)
    assert 0.15 < float(tf.reduce_mean(masks)) < 0.25
    # Soft pixels mix object and background by the mask.
    np.testing.assert_allclose(pictures[..., 0], 2.0 * masks[..., 0] - 1.0, atol=1e-5)


def test_keras_does_not_compile_it_with_xla():
    model = keras.Sequential([Renderer(resolution=8)])
    model.compile(loss="mse")
    assert not model.jit_compile


def test_depth_and_normals_of_a_ball_are_its_geometry():
    renderer = Renderer(resolution=32)
    drawn = renderer(ball(), FRONT, outputs=("normals", "depth", "mask"))
    normals, depth, mask = (drawn[name][0] for name in ("normals", "depth", "mask"))
    np.testing.assert_allclose(normals[16, 16, 2], -1.0, atol=0.01)
    expected = renderer.camera.distance - 0.5
    np.testing.assert_allclose(depth[16, 16, 0], expected, atol=0.01)
    assert float(mask[0, 0, 0]) == 0.0 and float(depth[0, 0, 0]) == 0.0
    assert not np.any(normals[0, 0])
    inside = mask[..., 0] > 0.0
    lengths = np.linalg.norm(normals[inside], axis=-1)
    np.testing.assert_allclose(lengths, 1.0, atol=1e-5)


@LAMPS
def test_outputs_do_not_depend_on_what_else_is_asked_for(lamps):
    rng = np.random.default_rng(0)
    scene = Scene(
        ball().vertices * rng.uniform(0.9, 1.1, ball().vertices.shape),
        rng.uniform(-1.0, 1.0, [1, 8, 8, 3]),
        rng.uniform(-1.0, 1.0, [1, 16, 16, 3]),
    )
    viewpoints = tf.constant([[0.4, 0.1, 0.2]])
    renderer = Renderer(resolution=24, lamps=lamps)
    together = renderer(scene, viewpoints, outputs=OUTPUTS)
    for count in (1, 2, 3):
        for names in itertools.permutations(OUTPUTS, count):
            drawn = renderer(scene, viewpoints, outputs=names)
            assert list(drawn) == list(names)
            for name in names:
                np.testing.assert_array_equal(drawn[name], together[name])


@LAMPS
def test_only_what_is_asked_for_is_drawn(lamps, monkeypatch):
    channels = []

    def draw(pixels, mesh, texture, attributes, *arguments, **options):
        drawn = render_mesh(pixels, mesh, texture, attributes, *arguments, **options)
        channels.append((texture is not None, drawn["picture"].shape[-1]))
        return drawn

    render_mesh = renderer_module.render_mesh
    monkeypatch.setattr(renderer_module, "render_mesh", draw)
    renderer = Renderer(resolution=16, lamps=lamps)
    for name in ("mask", "normals", "depth", "picture"):
        renderer(ball(), FRONT, outputs=(name,))
    # Depth takes the mask, which soft pixels are divided by, and so does light.
    picture = 3 if lamps is None else 5
    assert channels == [(False, 1), (False, 3), (False, 2), (True, picture)]


def test_an_unknown_output_is_named():
    with pytest.raises(ValueError, match="unknown output 'colour'.*'picture', 'mask'"):
        Renderer(resolution=16)(ball(), FRONT, outputs=("mask", "colour"))


def test_the_number_of_vertices_tells_the_mesh():
    renderer = Renderer(resolution=32)
    areas = [
        float(tf.reduce_mean(renderer(ball(0.5, n), FRONT)["mask"])) for n in (4, 24)
    ]
    assert areas[0] == pytest.approx(areas[1], rel=0.05)
    scene = ball()
    with pytest.raises(ValueError, match="no sphere mesh has 1025 vertices"):
        renderer(scene._replace(vertices=scene.vertices[:, :-1]), FRONT)

    @tf.function(input_signature=[tf.TensorSpec([1, None, 3])])
    def draw(vertices):
        return renderer(scene._replace(vertices=vertices), FRONT)["mask"]

    with pytest.raises(ValueError, match="number of vertices.*known"):
        draw(scene.vertices)


def test_a_camera_is_passed():
    near = PinholeCamera(math.radians(40.0))
    masks, depths = [], []
    for camera in (PinholeCamera(), near):
        renderer = Renderer(resolution=32, camera=camera)
        assert renderer.camera == camera
        drawn = renderer(ball(0.9), FRONT, outputs=("mask", "depth"))
        masks.append(float(tf.reduce_mean(drawn["mask"])))
        depths.append(float(drawn["depth"][0, 16, 16, 0]))
    np.testing.assert_allclose(
        depths, [PinholeCamera().distance - 0.9, near.distance - 0.9], atol=0.02
    )
    # The nearer camera sees less of the front, but larger: the outline hardly moves.
    assert masks[0] == pytest.approx(masks[1], rel=0.1)
    aside = PinholeCamera(principal_point=(0.25, 0.5))
    mask = Renderer(resolution=32, camera=aside)(ball(0.4), FRONT)["mask"][0, ..., 0]
    middle = tf.reduce_sum(mask * (tf.range(32.0) + 0.5)) / tf.reduce_sum(mask)
    assert float(middle) == pytest.approx(8.0, abs=0.05)


def test_config_is_json_and_round_trips():
    renderer = Renderer(
        resolution=16,
        camera=PinholeCamera(0.3, (0.4, 0.5)),
        margin=0.5,
        mipmaps=True,
        background_range=(10.0, 0.0),
        lamps=RandomLamps(azimuth=30.0),
    )
    text = json.dumps(renderer.get_config())
    twin = Renderer.from_config(json.loads(text))
    assert twin.get_config() == renderer.get_config()
    assert (twin.camera, twin.lamps) == (renderer.camera, renderer.lamps)


@pytest.mark.parametrize("name", ["margin", "depth_push"])
@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_a_soft_layer_out_of_range_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be finite and at least 0, got"):
        Renderer(**{name: value})
    Renderer(**{name: 0.0})


def test_replace_changes_some_arguments():
    renderer = Renderer(resolution=16, margin=0.5, lamps=RandomLamps())
    unlit = renderer.replace(lamps=None, resolution=24)
    assert unlit.lamps is None and unlit.resolution == 24
    expected = {**renderer.get_config(), "lamps": None, "resolution": 24}
    assert unlit.get_config() == expected
    assert renderer.lamps == RandomLamps()
    camera = PinholeCamera(0.3)
    assert renderer.replace(camera=camera).camera == camera
    with pytest.raises((TypeError, ValueError), match="subdivisions"):
        renderer.replace(subdivisions=4)


def test_background_moves_against_the_near_side():
    ramp = tf.linspace(-1.0, 1.0, 64)
    horizontal = tf.tile(ramp[None, None, :, None], [3, 64, 1, 3])
    vertical = tf.transpose(horizontal, [0, 2, 1, 3])
    angles = tf.constant([[-0.5, -0.2, 0.0], [0.0, 0.0, 0.0], [0.5, 0.2, 0.0]])
    left, middle, right = (
        crop_background(horizontal, angles, (1.0, 0.4), 16, 2.0).numpy().mean((1, 2, 3))
    )
    # Positive yaw takes the near side to the left, so what is behind goes right.
    assert left > middle > right
    top, centre, bottom = (
        crop_background(vertical, angles, (1.0, 0.4), 16, 2.0).numpy().mean((1, 2, 3))
    )
    assert top < centre < bottom
    still = crop_background(horizontal, angles, (0.0, 0.0), 16, 2.0).numpy()
    np.testing.assert_array_equal(still[0], still[2])


@pytest.mark.parametrize(
    "size, coverage", [(32, 1.0), (32, 1.25), (32, 1.5), (128, 1.5)]
)
def test_backdrop_reaches_to_the_border(size, coverage):
    constant = tf.ones([5, size, size, 3])
    ends = [[a, b, 0.0] for a in (-1.0, 1.0) for b in (-1.0, 1.0)]
    angles = tf.constant([*ends, [0.3, -0.7, 0.0]])
    for resolution in (20, 39, 64, 77, 153, 200, 290, 305):
        cropped = crop_background(constant, angles, (1.0, 1.0), resolution, coverage)
        np.testing.assert_allclose(cropped, 1.0, atol=1e-6)


def test_objects_turn_about_the_pivot():
    pivot = (0.1, -0.2, -0.4)
    scene = ball(0.3)
    views = tf.constant([[0.5, 0.2, -0.1]])
    moved = scene._replace(vertices=scene.vertices - tf.constant(pivot))
    outputs = ("picture", "depth")
    about_pivot = Renderer(resolution=32, pivot=pivot)(scene, views, outputs=outputs)
    expected = Renderer(resolution=32)(moved, views, outputs=outputs)
    for name in outputs:
        np.testing.assert_array_equal(about_pivot[name], expected[name])
    about_middle = Renderer(resolution=32)(scene, views, outputs=outputs)
    assert np.abs(about_middle["picture"] - expected["picture"]).max() > 0.5
    with pytest.raises(ValueError, match="pivot must be three finite numbers"):
        Renderer(pivot=(0.0, math.nan, 0.0))


def test_magnified_texture_is_drawn_by_its_own_map():
    """A texture that shows its own direction shows the same on every map."""
    pictures = []
    for magnification in (1.0, 2.0):
        centres = (np.arange(256) + 0.5) / 256
        grid = np.stack(np.meshgrid(centres, centres), -1)
        texture = uv_to_direction(grid, magnification)[None].astype(np.float32)
        scene = ball()._replace(texture=tf.constant(texture))
        renderer = Renderer(resolution=32, front_magnification=magnification)
        pictures.append(renderer(scene, tf.constant([[0.6, 0.1, 0.0]]))["picture"])
    np.testing.assert_allclose(pictures[0], pictures[1], atol=0.02)


def test_mipmaps_show_the_mean_of_what_is_finer_than_a_pixel():
    board = (np.indices([256, 256]).sum(0) % 2).astype(np.float32)
    texture = np.repeat(2.0 * board[None, ..., None] - 1.0, 3, -1)
    scene = ball()._replace(texture=tf.constant(texture))
    deviations = []
    for mipmaps in (True, False):
        picture = Renderer(resolution=16, mipmaps=mipmaps)(scene, FRONT)["picture"]
        deviations.append(np.abs(picture[0, 6:10, 6:10]).max())
    assert deviations[0] < 1e-5
    assert deviations[1] > 0.1
