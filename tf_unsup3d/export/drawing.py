"""Drawing many objects one by one."""

import math
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.rendering.scene import Scene

# Limits the memory of one rendering; 16 pictures of 512 x 512.
_PIXELS_AT_ONCE = 2**22


def draw_pictures(
    renderer: Renderer,
    scene: Scene,
    yaw_degrees: float = 0.0,
    pitch_degrees: float = 0.0,
) -> Iterator[np.ndarray]:
    """Draws objects from one viewpoint, as many at once as fit into memory.

    Args:
      renderer: The renderer.
      scene: The objects.
      yaw_degrees: Yaw of all objects.
      pitch_degrees: Pitch of all objects.

    Yields:
      The picture of each object, `[resolution, resolution, 3]` uint8.
    """
    viewpoint = [math.radians(yaw_degrees), math.radians(pitch_degrees), 0.0]
    at_once = max(1, _PIXELS_AT_ONCE // renderer.resolution**2)
    for first in range(0, scene.vertices.shape[0], at_once):
        part = Scene(*(value[first : first + at_once] for value in scene))
        viewpoints = tf.constant([viewpoint] * part.vertices.shape[0])
        drawn = renderer(part, viewpoints, outputs=("picture",))
        yield from to_uint8(drawn["picture"].numpy())
