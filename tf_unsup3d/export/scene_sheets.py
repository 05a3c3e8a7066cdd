"""Sheets of samples, as in the paper's Figure 1."""

import math

import numpy as np
import tensorflow as tf

from tf_unsup3d.export.maps import depth_to_grey, normals_to_rgb, to_uint8
from tf_unsup3d.export.sheets import compose_sheet
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.rendering.scene import Scene

VIEW_YAWS = (-90.0, -45.0, 0.0, 45.0, 90.0)


def views(count: int, yaw: float, pitch: float = 0.0) -> tf.Tensor:
    """[count, 3] the same viewpoint, given in degrees, in radians."""
    return tf.constant([[math.radians(yaw), math.radians(pitch), 0.0]] * count)


def _normals_and_depth(renderer, scene, viewpoints):
    drawn = renderer(scene, viewpoints, outputs=("normals", "depth", "mask"))
    normals, depth, mask = (drawn[n].numpy() for n in ("normals", "depth", "mask"))
    middle = renderer.camera.distance
    return (
        normals_to_rgb(normals, mask),
        depth_to_grey(depth, mask, middle - 1.0, middle + 1.0),
    )


def scene_sheet(
    renderer: Renderer, scene: Scene, yaw: float = 0.0, pitch: float = 0.0
) -> np.ndarray:
    """A row for each object: picture, normals, texture, background and five views.

    Args:
      renderer: that draws them.
      scene: of the objects.
      yaw: of the picture and the normals, in degrees.
      pitch: of all pictures, in degrees.

    Returns:
      [height, width, 3] uint8.
    """
    count = scene.vertices.shape[0]
    size = renderer.resolution
    frontal = views(count, yaw, pitch)
    columns = [
        to_uint8(renderer(scene, frontal)["picture"].numpy()),
        _normals_and_depth(renderer, scene, frontal)[0],
        *(
            to_uint8(tf.image.resize(picture, [size, size], antialias=True).numpy())
            for picture in (scene.texture, scene.background)
        ),
    ]
    titles = ["picture", "normals", "texture", "background"]
    for angle in VIEW_YAWS:
        drawn = renderer(scene, views(count, angle, pitch))
        columns.append(to_uint8(drawn["picture"].numpy()))
        titles.append(f"{angle:.0f}°")
    return compose_sheet([list(row) for row in zip(*columns, strict=True)], titles)


def depth_sheet(renderer: Renderer, scene: Scene, pitch: float = 0.0) -> np.ndarray:
    """A row for each object: depth, near bright, and normals from five views.

    Args:
      renderer: that draws them.
      scene: of the objects.
      pitch: of all pictures, in degrees.

    Returns:
      [height, width, 3] uint8.
    """
    count = scene.vertices.shape[0]
    columns, titles = [], []
    for angle in VIEW_YAWS:
        normals, depth = _normals_and_depth(renderer, scene, views(count, angle, pitch))
        columns += [depth, normals]
        titles += [f"depth {angle:.0f}°", "normals"]
    return compose_sheet([list(row) for row in zip(*columns, strict=True)], titles)
