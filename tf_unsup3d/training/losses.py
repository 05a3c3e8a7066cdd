"""The terms of both losses: adversarial ones, and guards of the surface."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.edges import edge_differences, mesh_edges
from tf_unsup3d.geometry.normals import triangle_normals
from tf_unsup3d.geometry.sphere import SphereMesh
from tf_unsup3d.geometry.viewpoints import rotation_matrices


def generator_loss(fake_scores: tf.Tensor) -> tf.Tensor:
    """Non-saturating logistic loss [] of scores [batch] (Goodfellow et al. 2014)."""
    return tf.reduce_mean(tf.nn.softplus(-fake_scores))


def discriminator_loss(real_scores: tf.Tensor, fake_scores: tf.Tensor) -> tf.Tensor:
    """Logistic loss [] of scores [batch] each."""
    return tf.reduce_mean(tf.nn.softplus(-real_scores) + tf.nn.softplus(fake_scores))


def weighted_sum(terms: dict[str, tf.Tensor], weights: dict[str, float]) -> tf.Tensor:
    """The loss [] that some terms add up to.

    Args:
      terms: Terms [] by name.
      weights: Their weights by name; 1 where there is none.
    """
    return tf.add_n([weights.get(name, 1.0) * term for name, term in terms.items()])


def gradient_penalty(
    discriminator: Callable[[tf.Tensor], tf.Tensor], pictures: tf.Tensor
) -> tf.Tensor:
    """R1: mean squared gradient of the scores (Mescheder et al. 2018).

    Args:
      discriminator: Function of pictures that gives their scores [batch].
      pictures: [batch, height, width, 3], real pictures.

    Returns:
      [], the mean over the batch of the squared norm of the gradient.
    """
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        total = tf.reduce_sum(discriminator(pictures))
    gradient = tape.gradient(total, pictures)
    return tf.reduce_mean(tf.reduce_sum(tf.square(gradient), [1, 2, 3]))


def folding(vertices: tf.Tensor, mesh: SphereMesh) -> tuple[tf.Tensor, tf.Tensor]:
    """How far the surface turns against the sphere that it came from.

    Args:
      vertices: [batch, vertices, 3], positions on the sphere mesh.
      mesh: The sphere mesh.

    Returns:
      [], the mean over all triangles of max(0, -cosine) of the angle between the normal
      of the triangle and that of the sphere; and [], the fraction of triangles that are
      turned by more than 90 degrees.
    """
    normals = tf.math.l2_normalize(triangle_normals(vertices, mesh.triangles), -1)
    sphere = mesh.directions[mesh.triangles].mean(1)
    cosine = tf.reduce_sum(normals * tf.math.l2_normalize(sphere, -1), -1)
    flipped = tf.reduce_mean(tf.cast(cosine < 0.0, tf.float32))
    return tf.reduce_mean(tf.nn.relu(-cosine)), flipped


def hidden_roughness(
    vertices: tf.Tensor, viewpoints: tf.Tensor, mesh: SphereMesh
) -> tf.Tensor:
    """How rough the surface is where its picture does not show it.

    Nothing else acts there. By itself this Dirichlet energy would make of the back of
    an object the smoothest continuation of its front.

    Args:
      vertices: [batch, vertices, 3], positions on the sphere mesh.
      viewpoints: [batch, 3], (yaw, pitch, roll) in radians of the pictures.
      mesh: The sphere mesh.

    Returns:
      [], the mean over all edges of the squared slope of the displacement from the
      sphere about the origin that fits best, weighted by max(0, -cosine) of the angle
      between the edge's place on the sphere and the direction to the camera. What is
      in front of what does not count.
    """
    sphere = mesh.directions
    size = tf.reduce_mean(tf.reduce_sum(vertices * sphere, -1), -1)[:, None, None]
    edges = mesh_edges(mesh.triangles)
    changes = edge_differences(vertices - size * sphere, edges)
    first, second = np.moveaxis(sphere[edges], 1, 0)
    slopes = tf.reduce_sum(changes**2, -1) / np.sum((second - first) ** 2, -1)
    # The camera looks along z, so the third row of a rotation points away from it.
    away = rotation_matrices(viewpoints)[:, 2, :]
    hidden = tf.nn.relu(tf.matmul(away, 0.5 * (first + second), transpose_b=True))
    return tf.reduce_mean(hidden * slopes)
