"""Colours of vertices."""

import numpy as np
import pytest

from tf_unsup3d.export.vertex_colours import colours_at, vertex_colours
from tf_unsup3d.geometry.sphere import direction_to_uv, octahedral_sphere


def test_a_vertex_has_the_colour_of_the_texture_at_its_place():
    sphere = octahedral_sphere(6)
    # Red counts columns and green rows, so that the bilinear sample is known.
    rows, columns = np.indices([32, 32])
    texture = np.uint8(np.stack([4 * columns, 4 * rows, 0 * rows], -1))
    found = vertex_colours(sphere, texture)
    assert found.dtype == np.uint8 and found.shape == (len(sphere.directions), 3)
    # All but the back pole and the ring around it: there, a triangle has one colour.
    visible = sphere.directions[:, 2] < 0.96
    uv = np.asarray(direction_to_uv(sphere.directions[visible]))
    expected = 4.0 * np.clip(uv * 32 - 0.5, 0.0, 31.0)
    np.testing.assert_allclose(found[visible, :2], expected, atol=0.51)
    assert not found[:, 2].any()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_points_between_texels_have_the_colour_between_them(dtype):
    texture = np.array([[[0], [10]], [[20], [31]]], dtype)
    # Two texel centres, a point midway between all of them, and the corner of the map.
    uv = np.array([[[0.25, 0.25], [0.75, 0.25]], [[0.5, 0.5], [1.0, 1.0]]])
    found = colours_at(texture, uv)
    assert found.dtype == dtype and found.shape == (2, 2, 1)
    middle = 15 if dtype == np.uint8 else 15.25
    np.testing.assert_allclose(found[..., 0], [[0, 10], [middle, 31]])
