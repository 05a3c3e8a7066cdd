"""Meshes with colours in TensorBoard."""

import numpy as np
import tensorflow as tf
from tensorboard.plugins.mesh import summary

from tf_unsup3d.export.meshes import TO_FILE_AXES
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.export.vertex_colours import vertex_colours
from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.rendering.scene import Scene

# The colours hold the shading of the pictures; more light would hide them.
_THREE_JS = {
    "camera": {"cls": "PerspectiveCamera", "fov": 40},
    "material": {"cls": "MeshBasicMaterial"},
}


def write_meshes(step: int, scene: Scene, mesh: Mesh) -> None:
    """Writes the objects of a scene by `tf.summary`'s default writer.

    Args:
      step: The step.
      scene: A few objects: one takes 160 kB for 8,192 triangles.
      mesh: The mesh that they share.
    """
    textures = to_uint8(scene.texture)
    summary.mesh(
        "mesh/objects",
        vertices=scene.vertices.numpy() * TO_FILE_AXES,
        colors=np.stack([vertex_colours(mesh, texture) for texture in textures]),
        faces=tf.constant(np.stack([mesh.triangles] * len(textures)), tf.int32),
        config_dict=_THREE_JS,
        step=step,
    )
