"""The smoothing of the surface on the back of objects."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.evaluation.alarms.surface import back_spikiness
from tf_unsup3d.geometry.edges import mesh_edges
from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.models.back_smoothing import BackSmoothing
from tf_unsup3d.models.generator import Generator

MESH = octahedral_sphere(16, 2.0)
# Angles from the front pole in units of pi.
POLAR = np.arccos(np.clip(-MESH.directions[:, 2], -1.0, 1.0)) / np.pi


@pytest.fixture
def displacements():
    return tf.random.stateless_normal([2, len(MESH.directions), 3], [3, 4])


def test_front_and_sides_stay_as_they_are(displacements):
    smooth = BackSmoothing(MESH, 10)(displacements)
    front = POLAR < 0.6
    np.testing.assert_array_equal(
        smooth.numpy()[:, front], displacements.numpy()[:, front]
    )


def test_a_round_moves_the_back_to_the_means_of_neighbours(displacements):
    before = displacements.numpy()
    smooth = BackSmoothing(MESH, 1)(displacements).numpy()
    edges = mesh_edges(MESH.triangles)
    back = np.flatnonzero(POLAR > 0.8)
    for vertex in back:
        around = edges[(edges == vertex).any(1)]
        neighbours = around[around != vertex]
        np.testing.assert_allclose(
            smooth[:, vertex], before[:, neighbours].mean(1), atol=1e-5
        )
    between = (POLAR > 0.61) & (POLAR < 0.8)
    assert np.all((smooth != before).any((0, 2))[between])


def test_rounds_are_repeated(displacements):
    once = BackSmoothing(MESH, 1)
    np.testing.assert_allclose(
        BackSmoothing(MESH, 3)(displacements),
        once(once(once(displacements))),
        atol=1e-6,
    )


def test_equal_displacements_stay_equal():
    same = tf.constant([[[0.1, -0.2, 0.3]]]) * tf.ones([1, len(MESH.directions), 1])
    np.testing.assert_allclose(BackSmoothing(MESH, 20)(same), same, atol=1e-6)


def test_gradients_reach_the_back_through_their_neighbours(displacements):
    vertex = int(np.argmax(POLAR > 0.9))
    with tf.GradientTape() as tape:
        tape.watch(displacements)
        moved = BackSmoothing(MESH, 2)(displacements)[0, vertex, 1]
    gradient = tape.gradient(moved, displacements).numpy()
    np.testing.assert_allclose(gradient.sum(), 1.0, rtol=1e-5)
    assert 7 < np.count_nonzero(gradient) < 30


@pytest.mark.parametrize("closed_back", [False, True])
def test_a_generator_makes_smooth_backs(closed_back):
    def objects(rounds):
        keras.utils.set_random_seed(1)
        model = Generator(
            latent_size=16,
            shape_resolution=32,
            level_weights=(0.0, 0.0, 0.0, 0.3),  # Only the finest level.
            closed_back=closed_back,
            back_smoothing=rounds,
        )
        model.build([None, 16])
        return model(tf.random.stateless_normal([2, 16], [1, 2])).vertices, model.mesh

    rough, mesh = objects(0)
    smooth, _ = objects(10)
    # 1 is a ball.
    before, after = (
        back_spikiness(each.numpy(), mesh) - 1.0 for each in (rough, smooth)
    )
    assert np.all(after < 0.5 * before)


def test_rounds_are_bounded():
    with pytest.raises(ValueError, match="back_smoothing"):
        Generator(back_smoothing=101)
