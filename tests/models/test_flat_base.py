"""The flat base of objects."""

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.evaluation.alarms.surface import flipped_triangles
from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.models.flat_base import cut_below
from tf_unsup3d.models.generator import Generator

MESH = octahedral_sphere(64)
# An egg off the axes, with its thick end below.
EGG = (
    MESH.directions * [1.0, 1.5, 1.2] * (1.0 + 0.3 * MESH.directions[:, 1:2])
    + [0.1, 0.2, 0.5]
)[None].astype(np.float32)


def test_what_is_above_the_base_stays_and_the_rest_lies_on_it():
    cut = cut_below(EGG, 0.9).numpy()
    above = EGG[..., 1] < 0.9
    assert 0.5 < above.mean() < 0.9
    np.testing.assert_allclose(cut[above], EGG[above], atol=1e-6)
    np.testing.assert_array_equal(cut[~above][:, 1], np.float32(0.9))


def test_the_base_is_as_wide_as_the_object_is_there():
    base = cut_below(EGG, 0.9).numpy()[EGG[..., 1] > 0.9]
    # 1.5 d (1 + 0.3 d) + 0.2 = 0.9, where d is the y of the direction.
    direction = (np.sqrt(1.5**2 + 4 * 0.45 * 0.7) - 1.5) / 0.9
    width = 2 * np.sqrt(1 - direction**2) * (1 + 0.3 * direction)
    assert np.ptp(base[:, 0]) == pytest.approx(width, rel=0.02)
    assert np.ptp(base[:, 2]) == pytest.approx(1.2 * width, rel=0.02)


def test_triangles_keep_their_orientation():
    cut = cut_below(EGG, 0.9).numpy()
    assert flipped_triangles(cut, MESH)[0] == flipped_triangles(EGG, MESH)[0] == 0.0
    corners = cut[0][MESH.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert np.linalg.norm(normals, axis=-1).min() > 0.0


def test_an_object_above_the_base_is_not_touched():
    np.testing.assert_allclose(cut_below(EGG, 9.0), EGG, atol=1e-6)


def test_gradients_reach_the_vertices():
    vertices = tf.constant(EGG)
    with tf.GradientTape() as tape:
        tape.watch(vertices)
        loss = tf.reduce_sum(tf.square(cut_below(vertices, 0.9)))
    gradient = tape.gradient(loss, vertices).numpy()
    assert np.isfinite(gradient).all() and np.abs(gradient).sum(-1).min() > 0.0


def test_objects_of_a_generator_end_at_the_base():
    def lowest(limit):
        generator = Generator(
            latent_size=8,
            texture_resolution=8,
            background_resolution=8,
            radius=1.2,
            cut_below=limit,
        )
        latents = tf.random.stateless_normal([2, 8], [1, 2])
        return generator(latents).vertices.numpy()[..., 1].max(1)

    assert (lowest(0.0) > 1.1).all()
    np.testing.assert_allclose(lowest(1.05), 1.05)
    with pytest.raises(ValueError, match="cut_below must be"):
        Generator(cut_below=-1.0)
