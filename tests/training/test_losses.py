import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.training import losses


def test_gradient_penalty_is_the_squared_slope():
    slope = np.random.default_rng(0).normal(size=[4, 4, 3]).astype(np.float32)
    pictures = tf.random.stateless_normal([5, 4, 4, 3], [1, 2])
    penalty = losses.gradient_penalty(
        lambda x: tf.reduce_sum(x * slope, [1, 2, 3]), pictures
    )
    np.testing.assert_allclose(penalty, np.square(slope).sum(), rtol=1e-5)


def test_losses_of_known_scores():
    scores = tf.constant([0.0, 0.0])
    np.testing.assert_allclose(losses.generator_loss(scores), np.log(2.0), rtol=1e-6)
    np.testing.assert_allclose(
        losses.discriminator_loss(scores, scores), 2.0 * np.log(2.0), rtol=1e-6
    )
    assert losses.discriminator_loss(scores + 5.0, scores - 5.0) < 0.02


def test_folding_sees_an_inside_out_surface():
    mesh = octahedral_sphere(6)
    sphere = tf.constant(mesh.directions[None])
    stretched = sphere * [1.3, 0.7, 1.0]
    assert [float(value) for value in losses.folding(stretched, mesh)] == [0.0, 0.0]
    penalty, flipped = losses.folding(sphere * [1.0, 1.0, -1.0], mesh)
    # Mirrored normals face inwards where z * z < 1 / 2: on about 71% of the sphere.
    assert penalty > 0.2 and 0.65 < flipped < 0.8


def test_hidden_roughness_sees_the_back_alone():
    mesh = octahedral_sphere(16)
    sphere = mesh.directions[None]

    def roughness(vertices, yaw=0.0):
        return float(
            losses.hidden_roughness(
                tf.constant(vertices), tf.constant([[yaw, 0.0, 0.0]]), mesh
            )
        )

    def horn(direction):
        near = np.exp(20.0 * (sphere @ np.float32(direction) - 1.0))
        return sphere * (1.0 + 0.3 * near[..., None])

    assert roughness(0.7 * sphere) < 1e-10
    back, front, right = horn([0, 0, 1]), horn([0, 0, -1]), horn([1, 0, 0])
    assert roughness(back) > 20.0 * roughness(front)
    # Turned by half a circle, the front is the back.
    np.testing.assert_allclose(roughness(front, np.pi), roughness(back), rtol=1e-3)
    # Positive yaw turns the right of the object towards the camera.
    assert roughness(right, -1.0) > 10.0 * roughness(right, 1.0)


def test_hidden_roughness_is_the_mean_squared_slope():
    mesh = octahedral_sphere(4)
    vertices = mesh.directions * np.float32([1.0, 0.8, 1.2])
    size = (vertices * mesh.directions).sum(-1).mean()
    edges = {
        tuple(sorted((row[i], row[(i + 1) % 3])))
        for row in mesh.triangles.tolist()
        for i in range(3)
    }
    total = 0.0
    for a, b in edges:
        along = mesh.directions[b] - mesh.directions[a]
        slope = vertices[b] - vertices[a] - size * along
        hidden = max(0.0, 0.5 * (mesh.directions[a] + mesh.directions[b])[2])
        total += hidden * (slope @ slope) / (along @ along)
    measured = losses.hidden_roughness(
        tf.constant(vertices[None]), tf.zeros([1, 3]), mesh
    )
    np.testing.assert_allclose(measured, total / len(edges), rtol=1e-4)
