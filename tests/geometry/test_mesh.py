import numpy as np
import pytest

from tf_unsup3d.geometry.mesh import triangle_neighbors, vertex_normals
from tf_unsup3d.geometry.sphere import octahedral_sphere


def test_open_edges_have_no_neighbor():
    quad = np.array([[0, 1, 2], [2, 1, 3]])
    np.testing.assert_array_equal(triangle_neighbors(quad), [[1, -1, -1], [-1, -1, 0]])


def test_three_triangles_on_an_edge_are_refused():
    with pytest.raises(ValueError, match=r"\(0, 1\).*more than two"):
        triangle_neighbors(np.array([[0, 1, 2], [1, 0, 3], [0, 1, 4]]))


def test_normals_of_a_sphere_point_outwards():
    mesh = octahedral_sphere(12)
    vertices = np.stack([mesh.directions, 2.0 * mesh.directions])
    normals = vertex_normals(vertices, mesh.triangles).numpy()
    assert normals.shape == vertices.shape
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1.0, atol=1e-5)
    for batch in normals:
        assert np.sum(batch * mesh.directions, -1).min() > 0.99
