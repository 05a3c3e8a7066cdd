"""The terms of both losses: adversarial ones, and penalties on the surface."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.edges import edge_differences, mesh_edges
from tf_unsup3d.geometry.normals import triangle_normals
from tf_unsup3d.geometry.sphere import SphereMesh
from tf_unsup3d.geometry.viewpoints import rotation_matrices


def generator_loss(fake_scores: tf.Tensor) -> tf.Tensor:
    """Computes the non-saturating logistic loss (Goodfellow et al. 2014).

    Args:
      fake_scores: `[batch]` scores of rendered pictures.

    Returns:
      `[]`, the mean over the batch.
    """
    return tf.reduce_mean(tf.nn.softplus(-fake_scores))


def discriminator_loss(real_scores: tf.Tensor, fake_scores: tf.Tensor) -> tf.Tensor:
    """Computes the logistic loss.

    Args:
      real_scores: `[batch]` scores of real pictures.
      fake_scores: `[batch]` scores of rendered pictures.

    Returns:
      `[]`, the mean over the batch.
    """
    return tf.reduce_mean(tf.nn.softplus(-real_scores) + tf.nn.softplus(fake_scores))


def weighted_sum(terms: dict[str, tf.Tensor], weights: dict[str, float]) -> tf.Tensor:
    """Adds up the terms of a loss.

    Args:
      terms: Terms, `[]` each, by name.
      weights: Weights by name. A term without a weight counts once.

    Returns:
      `[]`, the weighted sum of the terms.
    """
    return tf.add_n([weights.get(name, 1.0) * term for name, term in terms.items()])


def gradient_penalty(
    discriminator: Callable[[tf.Tensor], tf.Tensor], pictures: tf.Tensor
) -> tf.Tensor:
    """Computes the R1 penalty on the gradient of the scores (Mescheder et al. 2018).

    Args:
      discriminator: Function from pictures to their scores, `[batch]`.
      pictures: `[batch, height, width, 3]` real pictures.

    Returns:
      `[]`, the mean over the batch of the squared norm of the gradient.
    """
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        total = tf.reduce_sum(discriminator(pictures))
    gradient = tape.gradient(total, pictures)
    return tf.reduce_mean(tf.reduce_sum(tf.square(gradient), [1, 2, 3]))


def folding(vertices: tf.Tensor, mesh: SphereMesh) -> tuple[tf.Tensor, tf.Tensor]:
    """Measures how far the surface is turned against the sphere it was deformed from.

    Args:
      vertices: `[batch, vertices, 3]` positions of the vertices of the sphere mesh.
      mesh: The sphere mesh.

    Returns:
      Two scalars, `[]` each: the mean over all triangles of max(0, -cosine) of the
      angle between the normal of the triangle and that of the sphere, and the fraction
      of triangles for which this angle is greater than 90 degrees.
    """
    normals = tf.math.l2_normalize(triangle_normals(vertices, mesh.triangles), -1)
    sphere = mesh.directions[mesh.triangles].mean(1)
    cosine = tf.reduce_sum(normals * tf.math.l2_normalize(sphere, -1), -1)
    flipped = tf.reduce_mean(tf.cast(cosine < 0.0, tf.float32))
    return tf.reduce_mean(tf.nn.relu(-cosine)), flipped


def hidden_roughness(
    vertices: tf.Tensor, viewpoints: tf.Tensor, mesh: SphereMesh
) -> tf.Tensor:
    """Measures how rough the surface is on the side that its picture does not show.

    Nothing else constrains the surface there. This Dirichlet energy alone would make
    the back of an object the smoothest continuation of its front.

    Args:
      vertices: `[batch, vertices, 3]` positions of the vertices of the sphere mesh.
      viewpoints: `[batch, 3]` (yaw, pitch, roll) in radians.
      mesh: The sphere mesh.

    Returns:
      `[]`, the mean over all edges of the squared slope of the displacement from the
      best-fitting sphere about the origin. The weight of an edge is max(0, -cosine) of
      the angle between its direction from the centre of the sphere and the direction to
      the camera; occlusion is not considered.
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
