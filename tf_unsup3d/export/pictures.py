"""Pictures as people see them: uint8, in memory and as PNG files.

The functions that draw what the renderer computes return RGB pictures, grey ones too,
so that they can stand side by side in a sheet.
"""

import io
import os

import numpy as np
import PIL.Image

from tf_unsup3d.files import write_bytes

# In camera space y points down and z away from the camera.
_COLOUR_AXES = np.array([1.0, -1.0, -1.0], np.float32)


def to_uint8(picture: np.ndarray) -> np.ndarray:
    """Converts a picture in [-1, 1], as networks and renderer have it, to uint8.

    Args:
      picture: `[...]` floating point in [-1, 1]. Values outside are clipped.

    Returns:
      `[...]` uint8, which is 0 for -1 and 255 for 1.
    """
    scaled = (np.asarray(picture, np.float32) + 1.0) * 127.5
    return np.rint(np.clip(scaled, 0.0, 255.0)).astype(np.uint8)


def normals_to_rgb(normals: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Draws surface normals in the usual colours of normal maps, on white.

    Red is how far the normal points to the right, green how far up, and blue how far
    towards the camera: (128, 128, 255) is a surface that faces the camera.

    Args:
      normals: `[..., height, width, 3]`, normals of any length in camera space.
      mask: `[..., height, width, 1]`, the part of each pixel that shows the surface.

    Returns:
      `[..., height, width, 3]` uint8.
    """
    normals = np.asarray(normals, np.float32)
    lengths = np.linalg.norm(normals, axis=-1, keepdims=True)
    colours = normals / np.maximum(lengths, 1e-8) * _COLOUR_AXES
    return to_uint8(_over(colours, mask, 1.0))


def depth_to_grey(
    depth: np.ndarray, mask: np.ndarray, near: float, far: float
) -> np.ndarray:
    """Draws depth as brightness, on black.

    Args:
      depth: `[..., height, width, 1]`, depth from the camera, in units of the scene.
      mask: `[..., height, width, 1]`, the part of each pixel that shows the surface.
      near: Depth that is drawn white. Surfaces closer to the camera are white, too.
      far: Depth that is drawn black, greater than `near`. Surfaces further from the
        camera are black, too.

    Returns:
      `[..., height, width, 3]` uint8.

    Raises:
      ValueError: `far` is not greater than `near`.
    """
    if not near < far:
        raise ValueError(f"near ({near}) must be less than far ({far})")
    nearness = (far - np.asarray(depth, np.float32)) / (far - near)
    nearness = np.clip(nearness, 0.0, 1.0) * 2.0 - 1.0
    return np.repeat(to_uint8(_over(nearness, mask, -1.0)), 3, axis=-1)


def write_png(path: str | os.PathLike[str], picture: np.ndarray) -> None:
    """Writes a picture as a PNG file.

    Args:
      path: The file to write. Its folder is created if necessary.
      picture: `[height, width, 3]` uint8.

    Raises:
      UserError: The file cannot be written.
    """
    write_bytes(path, encode_png(picture))


def encode_png(picture: np.ndarray, compression: int = 6) -> bytes:
    """Makes the content of a PNG file.

    Args:
      picture: `[height, width, 3]` uint8, or 4 with an alpha channel.
      compression: From 0 to 9. The default is that of most programs.

    Returns:
      The content.
    """
    content = io.BytesIO()
    PIL.Image.fromarray(picture).save(content, "PNG", compress_level=compression)
    return content.getvalue()


def _over(picture: np.ndarray, mask: np.ndarray, background: float) -> np.ndarray:
    """Blends a picture with a uniform background, both in [-1, 1]."""
    mask = np.asarray(mask, np.float32)
    return picture * mask + background * (1.0 - mask)
