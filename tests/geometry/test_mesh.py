import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.geometry.mesh import Mesh, triangle_neighbors

# Two triangles that share an edge.
QUAD = [[0, 1, 2], [2, 1, 3]]
UV = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]


def test_open_edges_have_no_neighbor():
    quad = np.array(QUAD)
    np.testing.assert_array_equal(triangle_neighbors(quad), [[1, -1, -1], [-1, -1, 0]])


def test_three_triangles_on_an_edge_are_refused():
    triangles = [[0, 1, 2], [1, 0, 3], [0, 1, 4]]
    with pytest.raises(ValueError, match=r"\(0, 1\).*more than two"):
        triangle_neighbors(np.array(triangles))
    with pytest.raises(ValueError, match=r"triangles.*\(0, 1\).*more than two.*-1"):
        Mesh(triangles)
    assert Mesh(triangles, neighbors=np.full([3, 3], -1)).triangles.shape == (3, 3)


def test_what_is_missing_follows_from_the_triangles():
    mesh = Mesh(QUAD)
    np.testing.assert_array_equal(mesh.neighbors, [[1, -1, -1], [-1, -1, 0]])
    assert mesh.uv is None and mesh.uv_triangles is None
    mesh = Mesh(np.array(QUAD, np.int64), UV)
    np.testing.assert_array_equal(mesh.uv_triangles, QUAD)
    names = ("triangles", "neighbors", "uv_triangles")
    assert {getattr(mesh, name).dtype.name for name in names} == {"int32"}
    assert mesh.uv.dtype == np.float32


def test_a_mesh_cannot_be_changed():
    triangles = np.array(QUAD, np.int32)
    mesh = Mesh(triangles, UV)
    triangles[0] = 0
    np.testing.assert_array_equal(mesh.triangles, QUAD)
    with pytest.raises(dataclasses.FrozenInstanceError):
        mesh.uv = None
    for field in dataclasses.fields(mesh):
        with pytest.raises(ValueError, match="read-only"):
            getattr(mesh, field.name)[0] = 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"triangles": [0, 1, 2]}, r"triangles must be \[triangles, 3\], got \[3\]"),
        ({"triangles": [[0, 1]]}, r"triangles must be .*got \[1, 2\]"),
        ({"triangles": [[0.0, 1.0, 2.0]]}, "triangles must be integers, got float64"),
        ({"triangles": [[0, 1, -1], [1, 2, 3]]}, r"triangles\[0, 2\] is -1"),
        ({"triangles": [[0, 1, 2**31], [1, 2, 3]]}, r"triangles\[0, 2\] is 2147483648"),
        ({"neighbors": [[1, -1]]}, r"neighbors must be \[triangles, 3\]"),
        ({"neighbors": [[0, -1, -1]]}, "neighbors must have a row for each of 2"),
        ({"neighbors": [[1, -1, -1], [-2, -1, 0]]}, r"neighbors\[1, 0\] is -2"),
        ({"neighbors": [[1, -1, -1], [-1, 2, 0]]}, r"neighbors\[1, 1\] is 2.* to 1"),
        ({"uv": np.zeros([4, 3])}, r"uv must be \[uvs, 2\], got \[4, 3\]"),
        ({"uv": np.full([4, 2], np.nan)}, "uv must be finite"),
        ({"uv": np.full([4, 2], "a")}, "uv must be real numbers"),
        ({"uv": None, "uv_triangles": QUAD}, "uv_triangles.*uv, which is missing"),
        ({"uv_triangles": QUAD[:1]}, "uv_triangles must have a row for each of 2"),
        ({"uv_triangles": [[0, 1, 2], [2, 1, 4]]}, r"uv_triangles\[1, 2\] is 4"),
        ({"uv": UV[:3]}, r"uv_triangles\[1, 2\] is 3, not from 0 to 2"),
    ],
)
def test_what_is_wrong_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        Mesh(**{"triangles": QUAD, "uv": UV, **change})


def test_tensors_are_kept():
    triangles, uv = tf.constant(QUAD), tf.constant(UV, tf.float64)
    mesh = Mesh(triangles, uv)
    assert mesh.triangles is triangles and mesh.uv_triangles is triangles
    assert mesh.uv is uv
    np.testing.assert_array_equal(mesh.neighbors, triangle_neighbors(np.array(QUAD)))

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.int32)] * 2)
    def trace(triangles, neighbors):
        with pytest.raises(ValueError, match="neighbors must be given"):
            Mesh(triangles)
        return Mesh(triangles, neighbors=neighbors).neighbors

    np.testing.assert_array_equal(trace(triangles, mesh.neighbors), mesh.neighbors)
