"""Colours of vertices."""

import numpy as np

from tf_unsup3d.export.vertex_colours import vertex_colours
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
