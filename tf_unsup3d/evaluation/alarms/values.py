"""The values of all alarms for given objects."""

import math

import numpy as np
import tensorflow as tf

from tf_unsup3d.evaluation.alarms.back_texture import back_streaks
from tf_unsup3d.evaluation.alarms.frontal_depth import flatness, hollow_face
from tf_unsup3d.evaluation.alarms.pictures import mask_variation, object_effect
from tf_unsup3d.evaluation.alarms.surface import (
    back_spikiness,
    extent,
    flipped_triangles,
    half_shell,
    spikiness,
)
from tf_unsup3d.evaluation.masks import erode
from tf_unsup3d.geometry.sphere import sphere_of_size
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.rendering.scene import Scene

# Degrees of yaw from which the objects are seen.
YAWS = (-60.0, -30.0, 0.0, 30.0, 60.0)


def mean_values(scene: Scene, renderer: Renderer) -> dict[str, float]:
    """Measures what every alarm is about, as the mean over the objects.

    Args:
      scene: Several objects.
      renderer: Renderer of the objects.

    Returns:
      Means by the names of `limits.ALARMS`.
    """
    values = object_values(scene, renderer)
    return {name: float(np.mean(value)) for name, value in values.items()}


def object_values(scene: Scene, renderer: Renderer) -> dict[str, np.ndarray]:
    """Measures what every alarm is about, object by object.

    Args:
      scene: The objects.
      renderer: Renderer of the objects.

    Returns:
      Values `[objects]` by the names of `limits.ALARMS`.
    """
    # Seen as a whole, an object does not leave the picture when it turns.
    renderer = renderer.replace(pivot=(0.0, 0.0, 0.0))
    count = scene.vertices.shape[0]
    areas, effects = [], []
    for yaw in YAWS:
        views = tf.constant([[math.radians(yaw), 0.0, 0.0]] * count)
        drawn = renderer(scene, views, outputs=("picture", "mask", "depth"))
        pictures, masks = drawn["picture"].numpy(), drawn["mask"].numpy()
        areas.append(masks.mean((1, 2, 3)))
        effects.append(object_effect(pictures, renderer.backdrop(scene, views).numpy()))
        if yaw == 0.0:
            # The renderer pushes back the pixels of its soft layer.
            frontal = drawn["depth"].numpy()[..., 0], erode(masks[..., 0] > 0.99)
    vertices = scene.vertices.numpy()
    mesh = sphere_of_size(vertices.shape[1])
    return {
        "hollow_face": hollow_face(*frontal, renderer.camera),
        "flatness": flatness(*frontal, renderer.camera),
        "extent": extent(vertices),
        "flipped_triangles": flipped_triangles(vertices, mesh),
        "spikiness": spikiness(vertices, mesh),
        "back_spikiness": back_spikiness(vertices, mesh),
        "half_shell": half_shell(vertices),
        "back_streaks": back_streaks(
            scene.texture.numpy(), renderer.front_magnification
        ),
        "object_effect": np.mean(effects, 0),
        "mask_variation": mask_variation(np.stack(areas)),
    }
