"""The distance between whole surfaces."""

import numpy as np
import pytest

from tf_unsup3d.evaluation.shape.mesh_distance import (
    chamfer_distance,
    sample_surface,
)
from tf_unsup3d.evaluation.shape.meshes import compare_meshes
from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.heads.parameters import sample_head
from tf_unsup3d.heads.shape import procedural_head_model
from tf_unsup3d.heads.storage import load_meshes
from tf_unsup3d.heads.true_meshes import TrueMeshes

BALL = octahedral_sphere(16)


@pytest.fixture(scope="module")
def head():
    model = procedural_head_model(24)
    vertices = sample_head(model, np.random.default_rng(1)).vertices(model)
    return vertices.astype(np.float64), model.triangles


def moved(vertices):
    c, s = np.cos(0.2), np.sin(0.2)
    rotation = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    return 1.7 * vertices @ rotation + [1.0, -2.0, 3.0]


def test_distance_does_not_depend_on_place_size_and_a_small_turn(head):
    vertices, triangles = head
    # The points on both surfaces differ, so the distance cannot be 0.
    itself = chamfer_distance(vertices, triangles, vertices, triangles)
    assert itself < 0.035
    again = chamfer_distance(moved(vertices), triangles, vertices, triangles)
    assert again == pytest.approx(itself, abs=0.004)


def test_distance_does_not_depend_on_the_mesh():
    finer = octahedral_sphere(32)
    distance = chamfer_distance(
        finer.directions, finer.triangles, BALL.directions, BALL.triangles
    )
    assert distance < 0.035


def test_distance_counts_the_back(head):
    vertices, triangles = head
    itself = chamfer_distance(vertices, triangles, vertices, triangles)
    shell = vertices.copy()
    back = shell[:, 2] > 0.0
    shell[back, 2] *= 0.2
    distance = chamfer_distance(shell, triangles, vertices, triangles)
    assert distance > 2.0 * itself
    ball = chamfer_distance(BALL.directions, BALL.triangles, vertices, triangles)
    assert ball > 2.0 * itself


def test_distance_of_parallel_spheroids():
    """Flattened to a tenth, no similarity makes a ball of it."""
    flat = BALL.directions * [1.0, 1.0, 0.1]
    distance = chamfer_distance(flat, BALL.triangles, BALL.directions, BALL.triangles)
    assert 0.15 < distance < 0.5


def test_points_are_spread_evenly_over_the_surface():
    # Two squares of area 1 and 3.
    vertices = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    vertices = np.concatenate([vertices, vertices * [3.0, 1.0, 0.0] + [0, 0, 5.0]])
    triangles = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]])
    points = sample_surface(vertices, triangles, 4000, np.random.default_rng(0))
    second = points[:, 2] == 5.0
    assert second.mean() == pytest.approx(0.75, abs=0.01)
    assert np.isin(points[~second, 2], [0.0]).all()
    assert points[second].mean(0) == pytest.approx([1.5, 0.5, 5.0], abs=0.03)
    assert points[second].std(0)[:2] == pytest.approx(
        np.array([3.0, 1.0]) / np.sqrt(12.0), rel=0.03
    )


def test_model_is_compared_with_the_stored_heads(small_trained, head_set):
    meshes = load_meshes(head_set)
    assert meshes.vertices.shape[0] == 5
    few = TrueMeshes(meshes.vertices[:2], meshes.triangles)
    found = compare_meshes(small_trained, few, seed=0)
    assert list(found) == ["true", "generator"]
    assert found["true"].objects == found["generator"].objects == 2
    assert 1.0 < found["true"].least_depth_to_width <= found["true"].depth_to_width
    assert found["true"].chamfer < found["generator"].chamfer
