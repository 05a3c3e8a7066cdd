"""Colours of vertices, for formats and viewers that show no textures."""

import numpy as np
import scipy.ndimage

from tf_unsup3d.geometry.mesh import Mesh


def vertex_colours(mesh: Mesh, texture: np.ndarray) -> np.ndarray:
    """Samples a texture at the vertices of a mesh.

    Args:
      mesh: A mesh with a texture layout. Where the texture has a seam, a vertex has the
        colour of one of its sides.
      texture: `[height, width, channels]` uint8.

    Returns:
      `[vertices, channels]` uint8.
    """
    uv = np.zeros([mesh.triangles.max() + 1, 2])
    uv[mesh.triangles] = np.asarray(mesh.uv)[mesh.uv_triangles]
    return sample_texture(texture, uv)


def sample_texture(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Samples a texture bilinearly, as the renderer does without mipmaps.

    Args:
      texture: `[height, width, channels]` uint8.
      uv: `[points, 2]` in [0, 1] with the origin at the top left. Texel centres lie at
        half-integers, and the border is continued.

    Returns:
      `[points, channels]` uint8.
    """
    height, width, _ = texture.shape
    places = [uv[:, 1] * height - 0.5, uv[:, 0] * width - 0.5]
    channels = [
        scipy.ndimage.map_coordinates(
            channel.astype(np.float32), places, order=1, mode="nearest"
        )
        for channel in np.moveaxis(texture, -1, 0)
    ]
    return np.rint(np.stack(channels, -1)).astype(np.uint8)
