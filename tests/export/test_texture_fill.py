"""Textures continued over what no picture shows."""

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.evaluation.alarms.back_texture import back_streaks
from tf_unsup3d.export import texture_fill
from tf_unsup3d.export.texture_fill import fill_hidden_texture
from tf_unsup3d.geometry.sphere import uv_to_direction
from tf_unsup3d.rendering import op_library
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.trained_model import TrainedModel

SIZE = 64


@pytest.fixture(scope="module", params=[1.0, 2.0])
def model(request, small_bindings):
    """A model whose pictures show its objects from the front and up to 40 degrees."""
    configuration = Configuration.from_files(
        [],
        [
            *small_bindings,
            f"Generator.front_magnification = {request.param}",
            "Generator.subdivisions = 16",
            "Trainer.viewpoints = @UniformViewpoints()",
            "UniformViewpoints.limits = (40.0, 10.0, 0.0)",
        ],
    )
    return TrainedModel(configuration.make_generator(), configuration, 0)


@pytest.fixture(scope="module")
def portable(small_bindings):
    bindings = [*small_bindings, "Renderer.backend = 'portable'"]
    configuration = Configuration.from_files([], bindings)
    return TrainedModel(configuration.make_generator(), configuration, 0)


def directions(model):
    centres = (np.arange(SIZE) + 0.5) / SIZE
    grid = np.stack(np.meshgrid(centres, centres), -1)
    return uv_to_direction(grid, model.renderer.front_magnification)


def ball(model, texture):
    vertices = 0.7 * model.mesh.directions[None]
    return Scene(
        tf.constant(vertices, tf.float32),
        tf.constant(texture[None], tf.float32),
        tf.zeros([1, 16, 16, 3]),
    )


def test_hidden_side_continues_the_seen_one(model):
    x, y, z = np.moveaxis(directions(model), -1, 0)
    # Red above, blue below, and a star that no picture shows.
    red = np.where(y < 0.0, 0.8, -0.8)
    shown = np.stack([red, 0.0 * red, -red], -1)
    star = np.sin(8.0 * np.arctan2(y, x))[..., None] * np.ones(3)
    texture = np.where(z[..., None] > 0.75, star, shown)
    scene = ball(model, texture)
    filled = fill_hidden_texture(model, scene)
    before, after = scene.texture.numpy()[0], filled.texture.numpy()[0]
    front = z < -0.7
    np.testing.assert_allclose(after[front], before[front], atol=1e-5)
    magnification = model.renderer.front_magnification
    assert back_streaks(before[None], magnification)[0] > 2.0
    assert back_streaks(after[None], magnification)[0] < 0.5
    # The back has the colour of what is highest, below the others go over into it.
    back = z > 0.3
    assert after[back & (y < -0.4), 0].mean() > 0.3
    np.testing.assert_allclose(after[z > 0.97] - [0.8, 0.0, -0.8], 0.0, atol=0.02)
    assert np.abs(after[back, 1]).max() < 0.2
    np.testing.assert_array_equal(filled.vertices, scene.vertices)


def test_highlights_do_not_colour_the_back(model):
    x, _, z = np.moveaxis(directions(model), -1, 0)
    # Two in five parts of what is seen are white.
    highlights = np.where(np.modf(np.abs(2.0 * x))[0] < 0.4, 0.9, -0.6)
    filled = fill_hidden_texture(model, ball(model, highlights[..., None] * np.ones(3)))
    back = filled.texture.numpy()[0][z > 0.97]
    np.testing.assert_allclose(back, -0.6, atol=0.2)


def test_object_of_one_colour_keeps_it(model):
    scene = ball(model, np.full([SIZE, SIZE, 3], 0.25))
    filled = fill_hidden_texture(model, scene)
    np.testing.assert_allclose(filled.texture, 0.25, atol=1e-5)


def test_object_out_of_sight_stays_finite(model):
    scene = ball(model, np.random.default_rng(0).uniform(-1.0, 1.0, [SIZE, SIZE, 3]))
    away = scene._replace(vertices=scene.vertices + [5.0, 0.0, 0.0])
    filled = fill_hidden_texture(model, away).texture.numpy()
    assert np.isfinite(filled).all() and np.abs(filled).max() <= 1.0


def test_a_model_of_the_portable_renderer_needs_no_op(portable, monkeypatch):
    monkeypatch.setattr(texture_fill, "_RESOLUTION", 32)
    scene = portable.sample([1, 2])
    with monkeypatch.context() as patched:

        def load():
            raise AssertionError("the op is loaded")

        patched.setattr(op_library, "load_library", load)
        found = fill_hidden_texture(portable, scene)
    monkeypatch.setattr(portable, "renderer", portable.renderer.replace(backend="op"))
    expected = fill_hidden_texture(portable, scene)
    np.testing.assert_allclose(found.texture, expected.texture, atol=1e-4)
