"""Colours of vertices, for viewers that show no textures."""

import numpy as np

from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.geometry.mesh import Mesh


def vertex_colours(mesh: Mesh, texture: np.ndarray) -> np.ndarray:
    """Looks up the colours of vertices in the texture.

    Args:
      mesh: A mesh with a texture layout. Where the texture has a seam, a vertex has the
        colour of one of its sides.
      texture: `[batch, height, width, 3]` in [-1, 1].

    Returns:
      `[batch, vertices, 3]` uint8, the texels that the vertices lie in.
    """
    uv = np.zeros([mesh.triangles.max() + 1, 2])
    uv[mesh.triangles] = np.asarray(mesh.uv)[mesh.uv_triangles]
    height, width = texture.shape[1:3]
    x, y = (uv * (width, height)).astype(int).T
    return to_uint8(texture[:, np.minimum(y, height - 1), np.minimum(x, width - 1)])
