"""Pictures to look at, made of what the renderer computes.

All functions return RGB pictures in uint8, grey ones too, so that they can stand side
by side in a sheet.
"""

import numpy as np


def to_uint8(picture: np.ndarray) -> np.ndarray:
    """Turns the pictures used inside into the ones used outside.

    Args:
      picture: [...] floats in [-1, 1]; values outside are clipped.

    Returns:
      [...] uint8, -1 as 0 and 1 as 255.
    """
    scaled = (np.asarray(picture, np.float32) + 1.0) * 127.5
    return np.rint(np.clip(scaled, 0.0, 255.0)).astype(np.uint8)


def normals_to_rgb(
    normals: np.ndarray, mask: np.ndarray, background: float = 1.0
) -> np.ndarray:
    """Draws surface normals in the colours usual for normal maps.

    Normals are in camera space (x right, y down, z away from the camera). Red is how
    far the normal points to the right, green how far up, blue how far towards the
    camera: (128, 128, 255) is a surface that faces the camera.

    Args:
      normals: [..., height, width, 3] normals; need not have unit length.
      mask: [..., height, width, 1] coverage in [0, 1].
      background: grey in [0, 1] where the mask is 0.

    Returns:
      [..., height, width, 3] uint8.
    """
    normals = np.asarray(normals, np.float32)
    mask = np.asarray(mask, np.float32)
    # The renderer blends normals with its background at silhouettes, which shortens
    # them; the colours are those of the direction alone.
    lengths = np.linalg.norm(normals, axis=-1, keepdims=True)
    directions = normals / np.maximum(lengths, 1e-8)
    colours = directions * np.float32([1.0, -1.0, -1.0])
    return to_uint8(_over(colours, mask, background))


def depth_to_grey(
    depth: np.ndarray,
    mask: np.ndarray,
    near: float,
    far: float,
    background: float = 0.0,
) -> np.ndarray:
    """Draws depth as brightness: white at `near`, black at `far`.

    Args:
      depth: [..., height, width, 1] depth from the camera.
      mask: [..., height, width, 1] coverage in [0, 1].
      near: depth drawn white.
      far: depth drawn black, greater than `near`.
      background: grey in [0, 1] where the mask is 0.

    Returns:
      [..., height, width, 3] uint8.

    Raises:
      ValueError: `far` is not greater than `near`.
    """
    if not near < far:
        raise ValueError(f"near ({near}) must be less than far ({far})")
    nearness = (far - np.asarray(depth, np.float32)) / (far - near)
    nearness = np.clip(nearness, 0.0, 1.0) * 2.0 - 1.0
    grey = to_uint8(_over(nearness, np.asarray(mask, np.float32), background))
    return np.repeat(grey, 3, axis=-1)


def _over(picture: np.ndarray, mask: np.ndarray, background: float) -> np.ndarray:
    """Lays a picture in [-1, 1] over a grey in [0, 1]."""
    return picture * mask + (background * 2.0 - 1.0) * (1.0 - mask)
