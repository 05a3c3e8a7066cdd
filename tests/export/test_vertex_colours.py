"""Colours of vertices."""

import numpy as np

from tf_unsup3d.export.vertex_colours import vertex_colours
from tf_unsup3d.geometry.sphere import direction_to_uv, octahedral_sphere


def test_a_vertex_has_the_colour_of_its_texel():
    sphere = octahedral_sphere(6)
    texture = np.random.default_rng(0).integers(0, 256, [2, 32, 32, 3])
    found = vertex_colours(sphere, np.float32(texture / 127.5 - 1.0))
    assert found.dtype == np.uint8 and found.shape == (2, len(sphere.directions), 3)
    # All but the back pole, which the texture shows as a circle.
    visible = sphere.directions[:, 2] < 0.99
    uv = direction_to_uv(sphere.directions[visible])
    x, y = np.minimum((uv * 32).astype(int), 31).T
    np.testing.assert_array_equal(found[:, visible], texture[:, y, x])
