"""How much meshes have to draw, counted by hand, and how much is too much."""

import numpy as np
import pytest
import tensorflow as tf

from tests.serving.meshes import EVERYWHERE, mesh_inputs
from tf_unsup3d.export.saved_model.user_meshes import draw_mesh
from tf_unsup3d.rendering.portable import sharp_layer, soft_layer
from tf_unsup3d.rendering.portable.pixel_layers import find_layers, layer_weights
from tf_unsup3d.serving.limits import Limits
from tf_unsup3d.serving.mesh_requests import count_triangle_pixels
from tf_unsup3d.serving.request_error import RequestError

# In a picture of 8 x 8, at twice the depth: the corners are at (2, 2), (2, 4), (4, 2).
SMALL = [[-1, -1, 2], [-1, 0, 2], [0, -1, 2]]


@pytest.mark.parametrize(
    ("corners", "count"),
    [
        (EVERYWHERE, 64),
        # The soft layer reaches from 1 to 5.
        (SMALL, 16),
        # It is drawn for a point and from behind, too.
        ([SMALL[0]] * 3, 4),
        (SMALL[::-1], 16),
        # At the border, and beyond.
        ([[0.75, 0, 1], [0.75, 0.25, 1], [2, 0, 1]], 2 * 3),
        ([[1.25, 0, 1], [1.25, 1, 1], [2, 0, 1]], 0),
        # Behind the camera, and through its plane: to the right and down without end.
        ([[0, 0, -1], [0, 1, -1], [1, 0, -1]], 0),
        ([[0, 0, 1], [0, 0.5, 1], [3, 0, -1]], 25),
    ],
)
def test_pixels_of_a_triangle(corners, count):
    assert count_triangle_pixels(mesh_inputs(corners)) == count


def test_pixels_add_up():
    inputs = mesh_inputs(SMALL, EVERYWHERE, rows=3)
    assert count_triangle_pixels(inputs) == 3 * (64 + 16)
    # Rows have cameras of their own.
    inputs["pose"][0, 2, 3] = 4.0
    inputs["height"][1] = 4
    inputs["width"][2] = 32
    assert count_triangle_pixels(inputs) != 3 * (64 + 16)
    each = [
        count_triangle_pixels({name: value[row:][:1] for name, value in inputs.items()})
        for row in range(3)
    ]
    assert len(set(each)) == 3 and count_triangle_pixels(inputs) == sum(each)


def test_what_cannot_be_drawn_is_left_to_the_model():
    inputs = mesh_inputs(SMALL)
    inputs["triangles"][0, 0] = 99
    assert count_triangle_pixels(inputs) > 0
    inputs["triangles"][0, 0] = -1
    assert count_triangle_pixels(inputs) > 0
    assert count_triangle_pixels(mesh_inputs()) == 0
    inputs["vertices"] = inputs["vertices"][:, :0]
    assert count_triangle_pixels(inputs) == 0


def test_the_portable_renderer_tries_no_more_pixels(monkeypatch):
    rng = np.random.default_rng(0)
    corners = rng.uniform(-1.5, 1.5, [50, 3, 3]) + [0.0, 0.0, 1.0]
    inputs = mesh_inputs(*corners, size=32)
    tried = []

    def counted(*arguments):
        found = find_candidates(*arguments)
        tried.append(len(found.items))
        return found

    find_candidates = sharp_layer.find_candidates
    for module in (sharp_layer, soft_layer):
        monkeypatch.setattr(module, "find_candidates", counted)
    draw_mesh(
        *(value[0] for value in inputs.values()),
        margin=1.0,
        depth_push=0.02,
        backend="portable",
    )
    sharp, soft = tried
    count = count_triangle_pixels(inputs)
    # Each of the three edges is tried by itself.
    assert 0 < sharp < count and 0 < soft < 3 * count


def test_triangles_have_limits():
    limits = Limits(triangles=40)
    wide = [EVERYWHERE] * 16
    assert limits.check_meshes(mesh_inputs(*wide, size=512)) == 16 * 512**2
    with pytest.raises(RequestError) as caught:
        limits.check_meshes(mesh_inputs(*wide, SMALL, size=512))
    assert caught.value.status == 400
    # It is the same part of any picture, but for the soft layer.
    assert caught.value.message == (
        f"the triangles reach {16 * 512**2 + 130**2} pixels, each triangle on its own; "
        f"those of a request may reach {16 * 512**2}"
    )
    assert Limits(picture_size=1024).triangle_pixels == 16 * 1024**2
    assert limits.check_meshes(mesh_inputs(*[SMALL] * 20, rows=2)) == 40 * 16
    with pytest.raises(RequestError) as caught:
        limits.check_meshes(mesh_inputs(*[SMALL] * 21, rows=2))
    assert caught.value.status == 400
    assert caught.value.message == "the meshes have 42 triangles; a request may have 40"


def test_a_pixel_of_many_layers_costs_others_nothing():
    # Fragments that end one after the other, each behind the one before.
    many, pixels = 40, 1000
    extent = np.concatenate([np.linspace(0.9, 0.1, many), np.full(pixels, 0.5)])
    depth = np.concatenate([np.linspace(1.0, 2.0, many), np.ones(pixels)])
    own = np.concatenate([np.zeros(many, np.int32), np.arange(1, pixels + 1)])
    nothing = np.full(pixels + 1, np.finfo(np.float64).max)
    fragments = [tf.constant(each) for each in (own.astype(np.int32), extent, depth)]
    layers = find_layers(*fragments, tf.constant(nothing), 0.0)
    assert len(layers.shown) == many + pixels
    weights, rest = layer_weights(layers, *fragments, tf.constant(nothing), 0.0)
    of_first = weights.numpy()[np.argsort(layers.shown)][:many]
    assert of_first == pytest.approx(-np.diff(extent[:many], prepend=1.0))
    assert rest.numpy() == pytest.approx([0.1] + [0.5] * pixels)
