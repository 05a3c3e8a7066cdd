import numpy as np
import pytest

from tf_unsup3d.geometry.edges import boundary_edges
from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.heads import mesh_edits

SPHERE = octahedral_sphere(6)
POINTS, TRIANGLES = SPHERE.directions, SPHERE.triangles


def volume(points, triangles):
    return np.linalg.det(points[triangles].astype(np.float64)).sum() / 6.0


def test_a_cut_leaves_what_is_below_it_and_ends_at_it():
    matrix, triangles = mesh_edits.cut(TRIANGLES, POINTS[:, 1] - 0.3)
    points = mesh_edits.apply(matrix, POINTS)
    assert points[:, 1].max() == pytest.approx(0.3, abs=1e-6)
    assert points[:, 1].min() == pytest.approx(POINTS[:, 1].min())
    rim = np.unique(boundary_edges(triangles))
    np.testing.assert_allclose(points[rim, 1], 0.3, atol=1e-6)
    assert len(np.unique(triangles)) == len(points)


def test_a_cut_beyond_the_surface_changes_nothing():
    matrix, triangles = mesh_edits.cut(TRIANGLES, POINTS[:, 1] - 2.0)
    np.testing.assert_array_equal(mesh_edits.apply(matrix, POINTS), POINTS)
    np.testing.assert_array_equal(triangles, TRIANGLES)


def test_holes_are_closed_by_lids_that_face_outwards():
    heights = np.abs(POINTS[:, 1]) - 0.53
    cut, triangles = mesh_edits.cut(TRIANGLES, heights)
    closed, triangles = mesh_edits.close(triangles, cut.shape[0])
    points = mesh_edits.apply(closed @ cut, POINTS)
    # The lids have rims of their own.
    _, same = np.unique(points.round(6), axis=0, return_inverse=True)
    assert not len(boundary_edges(same[triangles]))
    # A ball without its two caps.
    lids = 2.0 * np.pi * (0.53 - 0.53**3 / 3.0)
    assert volume(points, triangles) == pytest.approx(lids, rel=0.05)


def test_a_closed_surface_stays_as_it_is():
    matrix, triangles = mesh_edits.close(TRIANGLES, len(POINTS))
    np.testing.assert_array_equal(mesh_edits.apply(matrix, POINTS), POINTS)
    np.testing.assert_array_equal(triangles, TRIANGLES)


def test_a_band_encloses_the_smaller_side():
    band = np.abs(POINTS[:, 2] - 0.5) < 0.2
    inside = mesh_edits.enclosed(TRIANGLES, band)
    np.testing.assert_array_equal(inside, POINTS[:, 2] >= 0.7)
    assert not mesh_edits.enclosed(TRIANGLES, np.zeros(len(POINTS), bool)).any()


def test_smoothing_keeps_the_surface_and_fills_in_what_has_no_weight():
    bumped = POINTS.copy()
    bump = POINTS[:, 0] > 0.9
    bumped[bump] *= 1.5
    smoothed = mesh_edits.smooth(TRIANGLES, bumped, 1.0 - bump)
    assert np.linalg.norm(smoothed[bump], axis=-1).max() < 1.25
    far = POINTS[:, 0] < 0.0
    np.testing.assert_allclose(smoothed[far], POINTS[far], atol=0.12)
