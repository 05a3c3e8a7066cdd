import numpy as np

from tf_unsup3d.geometry.edges import boundary_edges, edge_differences, mesh_edges
from tf_unsup3d.geometry.sphere import octahedral_sphere

QUAD = np.array([[0, 1, 2], [2, 1, 3]])


def test_every_edge_is_listed_once():
    edges = [[0, 1], [0, 2], [1, 2], [1, 3], [2, 3]]
    np.testing.assert_array_equal(mesh_edges(QUAD), edges)


def test_boundary_runs_along_its_triangles():
    assert {*map(tuple, boundary_edges(QUAD).tolist())} == {
        (0, 1),
        (2, 0),
        (1, 3),
        (3, 2),
    }
    assert boundary_edges(octahedral_sphere(3).triangles).shape == (0, 2)


def test_differences_are_second_minus_first():
    values = np.random.default_rng(0).normal(size=[2, 4, 3])
    edges = mesh_edges(QUAD)
    np.testing.assert_array_equal(
        edge_differences(values, edges), values[:, edges[:, 1]] - values[:, edges[:, 0]]
    )
