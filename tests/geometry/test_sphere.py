import numpy as np
import pytest

from tf_unsup3d.geometry.sphere import (
    direction_to_uv,
    octahedral_sphere,
    sphere_of_size,
    uv_to_direction,
)


@pytest.mark.parametrize("subdivisions", [1, 2, 5, 16])
def test_counts_and_topology(subdivisions):
    mesh = octahedral_sphere(subdivisions)
    assert len(mesh.directions) == 4 * subdivisions**2 + 2
    assert len(mesh.triangles) == 8 * subdivisions**2
    edges = np.sort(mesh.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), -1)
    unique, counts = np.unique(edges, axis=0, return_counts=True)
    assert np.all(counts == 2)  # closed
    euler = len(mesh.directions) - len(unique) + len(mesh.triangles)
    assert euler == 2  # a sphere


def test_triangles_face_outwards_and_are_even():
    mesh = octahedral_sphere(16)
    a, b, c = np.moveaxis(mesh.directions[mesh.triangles], 1, 0)
    cross = np.cross(b - a, c - a)
    assert np.all(np.sum(cross * (a + b + c), -1) > 0.0)
    area = 0.5 * np.linalg.norm(cross, axis=-1)
    np.testing.assert_allclose(area.sum(), 4.0 * np.pi, rtol=0.01)
    assert area.max() / area.min() < 2.5


def test_neighbors_share_the_edge_opposite_to_the_corner():
    mesh = octahedral_sphere(4)
    for row, triangle in enumerate(mesh.triangles):
        for corner in range(3):
            edge = set(np.delete(triangle, corner))
            other = mesh.neighbors[row, corner]
            assert other != row
            assert edge < set(mesh.triangles[other])


def test_uv_map_is_azimuthal_equidistant():
    points = [[0, 0, -1], [1, 0, 0], [0, 1, 0], [0, 0, -3]]
    expected = [[0.5, 0.5], [0.75, 0.5], [0.5, 0.75], [0.5, 0.5]]
    np.testing.assert_allclose(direction_to_uv(np.array(points)), expected, atol=1e-12)
    random = np.random.default_rng(0).normal(size=(100, 3))
    random /= np.linalg.norm(random, axis=-1, keepdims=True)
    np.testing.assert_allclose(
        uv_to_direction(direction_to_uv(random)), random, atol=1e-12
    )
    angle = np.arccos(-random[:, 2])
    radius = 2.0 * np.linalg.norm(direction_to_uv(random) - 0.5, axis=-1)
    np.testing.assert_allclose(radius, angle / np.pi, atol=1e-12)


@pytest.mark.parametrize("magnification", [1.5, 4.0])
def test_magnified_map(magnification):
    random = np.random.default_rng(0).normal(size=(100, 3))
    random /= np.linalg.norm(random, axis=-1, keepdims=True)
    uv = direction_to_uv(random, magnification)
    np.testing.assert_allclose(uv_to_direction(uv, magnification), random, atol=1e-12)
    plain = direction_to_uv(random)
    # Points stay at their azimuth, and only move outwards, up to the same border.
    radius, plain_radius = (np.linalg.norm(p - 0.5, axis=-1) for p in (uv, plain))
    assert np.all(radius > plain_radius) and radius.max() <= 0.5
    np.testing.assert_allclose(
        (uv - 0.5) / radius[:, None], (plain - 0.5) / plain_radius[:, None], atol=1e-12
    )
    small = 1e-4
    front = direction_to_uv(np.array([small, 0.0, -1.0]), magnification)[0] - 0.5
    back = 1.0 - direction_to_uv(np.array([small, 0.0, 1.0]), magnification)[0]
    assert front == pytest.approx(0.5 * magnification * small / np.pi, rel=1e-3)
    assert back == pytest.approx(0.5 * small / np.pi / magnification**2, rel=1e-3)


def test_magnification_leaves_the_mesh_alone():
    plain, magnified = octahedral_sphere(5), octahedral_sphere(5, 2.0)
    np.testing.assert_array_equal(plain.directions, magnified.directions)
    np.testing.assert_array_equal(plain.triangles, magnified.triangles)
    np.testing.assert_array_equal(plain.uv_triangles, magnified.uv_triangles)
    assert sphere_of_size(len(plain.directions), 2.0) is magnified
    around = (plain.triangles >= len(plain.directions) - 5).sum(1) >= 2
    corner_directions = uv_to_direction(magnified.uv[magnified.uv_triangles], 2.0)
    np.testing.assert_allclose(
        corner_directions[~around],
        plain.directions[plain.triangles[~around]],
        atol=2e-6,
    )
    with pytest.raises(ValueError, match="magnification must be at least 1"):
        octahedral_sphere(5, 0.5)


def test_corners_map_to_their_vertices_and_the_back_pole_is_welded():
    mesh = octahedral_sphere(6)
    back_pole = len(mesh.directions) - 1
    # But for the triangles with two corners or more on the last ring or the pole.
    around = (mesh.triangles >= back_pole - 4).sum(1) >= 2
    assert around.sum() == 8
    corner_directions = uv_to_direction(mesh.uv[mesh.uv_triangles])
    np.testing.assert_allclose(
        corner_directions[~around],
        mesh.directions[mesh.triangles[~around]],
        atol=2e-6,
    )
    assert np.ptp(mesh.uv[mesh.uv_triangles[around]], axis=1).max() == 0.0
    assert corner_directions[around][..., 2].min() > 0.85
    assert np.sum(mesh.triangles == back_pole) == 4
    assert len(mesh.uv) == back_pole + 4
    # No triangle spans the map: the seam is only at the circle, where one covers at
    # most a quadrant, and those of the front half are small.
    spread = np.ptp(mesh.uv[mesh.uv_triangles], axis=1).max(-1)
    assert spread.max() < 0.4
    front = mesh.directions[mesh.triangles][..., 2].max(-1) < 1e-6
    assert spread[front].max() < 1.6 / (4 * 6)


def test_the_number_of_vertices_tells_the_sphere():
    sphere = octahedral_sphere(5)
    assert sphere_of_size(len(sphere.directions)) is sphere
    sizes = []
    for count in range(-2, 150):
        try:
            sizes.append(len(sphere_of_size(count).directions))
        except ValueError as error:
            assert f"no sphere mesh has {count} vertices" in str(error)
    assert sizes == [6, 18, 38, 66, 102, 146]


def test_needs_a_subdivision():
    with pytest.raises(ValueError, match="subdivisions"):
        octahedral_sphere(0)
