"""Colours of textures at vertices, as for viewers that show no textures."""

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
    return colours_at(texture, uv)


def colours_at(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Samples a texture bilinearly, as the renderer does without mipmaps.

    Args:
      texture: `[height, width, channels]`, uint8 or floating point.
      uv: `[..., 2]` in [0, 1] with the origin at the top left. Texel centres lie at
        half-integers, and the border is continued.

    Returns:
      `[..., channels]` float32, or rounded to uint8 for a texture of uint8.
    """
    height, width, _ = texture.shape
    u, v = np.moveaxis(np.asarray(uv, np.float64), -1, 0)
    places = [v * height - 0.5, u * width - 0.5]
    sampled = np.stack(
        [
            scipy.ndimage.map_coordinates(
                channel.astype(np.float32), places, order=1, mode="nearest"
            )
            for channel in np.moveaxis(texture, -1, 0)
        ],
        -1,
    )
    return np.rint(sampled).astype(np.uint8) if texture.dtype == np.uint8 else sampled
