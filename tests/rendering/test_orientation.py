"""What `Mesh` says of the front of a triangle, held against the renderer."""

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.geometry.normals import triangle_normals
from tf_unsup3d.rendering import PinholeCamera, rasterize_mesh, render_mesh

SIZE = 64
COUNT = 40


@pytest.fixture
def triangles():
    """Single triangles, each in a picture of its own: `[triangles, 3, 3]`."""
    rng = np.random.default_rng(0)
    centres = rng.uniform(-0.3, 0.3, [COUNT, 1, 3])
    return centres + rng.normal(0.0, 0.3, [COUNT, 3, 3])


def test_front_is_where_the_normal_points_and_seen_counter_clockwise(triangles):
    camera, mesh = PinholeCamera(), Mesh([[0, 1, 2]])
    pixels = camera.project(tf.constant(triangles), SIZE, SIZE)
    drawn = {
        "op": render_mesh(pixels, mesh, height=SIZE, width=SIZE),
        "reference": render_mesh(
            pixels, mesh, height=SIZE, width=SIZE, backend="portable"
        ),
    }
    seen = {name: outputs["triangle_ids"] for name, outputs in drawn.items()}
    seen["list"] = rasterize_mesh(pixels, mesh, SIZE, SIZE).triangle_ids
    shown = {name: np.any(ids.numpy() >= 0, (1, 2)) for name, ids in seen.items()}

    # In object space: the camera is on the side that the normal points to.
    normals = triangle_normals(triangles, mesh.triangles).numpy()[:, 0]
    eye = np.array([0.0, 0.0, -camera.distance])
    facing = np.sum(normals * (eye - triangles[:, 0]), -1) > 0.0
    # In the picture: the signed area is negative, where y points down.
    points = (pixels[..., :2] / pixels[..., 2:]).numpy()
    (bx, by), (cx, cy) = (points[:, 1:] - points[:, :1]).transpose(1, 2, 0)
    np.testing.assert_array_equal(bx * cy - by * cx < 0.0, facing)

    assert 0.3 < facing.mean() < 0.7
    for name, found in shown.items():
        np.testing.assert_array_equal(found, facing, err_msg=name)
