import numpy as np

from tf_unsup3d.geometry.normals import triangle_normals, vertex_normals
from tf_unsup3d.geometry.sphere import octahedral_sphere


def test_normals_of_a_sphere_point_outwards():
    mesh = octahedral_sphere(12)
    vertices = np.stack([mesh.directions, 2.0 * mesh.directions])
    normals = vertex_normals(vertices, mesh.triangles).numpy()
    assert normals.shape == vertices.shape
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1.0, atol=1e-5)
    for batch in normals:
        assert np.sum(batch * mesh.directions, -1).min() > 0.99


def test_normals_have_unit_length_at_any_scale():
    mesh = octahedral_sphere(32)
    scales = np.float32([1e-12, 1e-3, 1e6])[:, None, None]
    normals = vertex_normals(scales * mesh.directions, mesh.triangles).numpy()
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1.0, atol=1e-5)
    # Of a point, too, they are no NaN.
    assert (
        not vertex_normals(0.0 * scales * mesh.directions, mesh.triangles).numpy().any()
    )


def test_normals_are_means_weighted_by_area():
    triangles = octahedral_sphere(4).triangles
    vertices = np.random.default_rng(0).normal(size=[3, triangles.max() + 1, 3])
    a, b, c = np.moveaxis(vertices[:, triangles], 2, 0)
    expected = np.cross(b - a, c - a)
    normals = triangle_normals(vertices, triangles).numpy()
    np.testing.assert_allclose(normals, expected, atol=1e-12)
    sums = np.zeros_like(vertices)
    for corner in triangles.T:
        np.add.at(sums, (slice(None), corner), expected)
    sums /= np.linalg.norm(sums, axis=-1, keepdims=True)
    normals = vertex_normals(vertices, triangles).numpy()
    np.testing.assert_allclose(normals, sums, atol=1e-12)
