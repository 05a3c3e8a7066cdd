"""What a generator makes and a renderer draws."""

from typing import NamedTuple

import tensorflow as tf


class Scene(NamedTuple):
    """A batch of textured objects and their backdrops.

    Attributes:
      vertices: `[batch, vertices, 3]`, positions of the vertices of the sphere mesh
        that has as many (see `sphere_of_size`); x right, y down, z away from the
        camera.
      texture: `[batch, texture_height, texture_width, 3]`, colours in [-1, 1] in the
        layout of that mesh.
      background: `[batch, background_height, background_width, 3]`, colours in
        [-1, 1]; a viewpoint sees a part of it.
    """

    vertices: tf.Tensor
    texture: tf.Tensor
    background: tf.Tensor
