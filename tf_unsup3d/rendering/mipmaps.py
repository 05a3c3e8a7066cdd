"""Mipmaps: a texture at ever lower resolutions, and which of them a pixel sees.

A texture that is seen from afar has many texels in one pixel. Bilinear sampling takes
four of them, whichever are hit: the picture aliases, its derivative with respect to the
texture touches four texels, and that with respect to the vertices follows their noise.
Mipmaps (Williams, *Pyramidal Parametrics*, SIGGRAPH 1983) are the texture at ever lower
resolutions; sampling chooses the one whose texels are as large as the pixel.
"""

import math

import tensorflow as tf


def make_mipmaps(texture: tf.Tensor) -> list[tf.Tensor]:
    """Halves a texture, by means of 2 x 2 texels, as long as both sides are even.

    Args:
      texture: `[batch, height, width, channels]`, of a known height and width.

    Returns:
      The texture itself, and its mipmaps, the finest first.

    Raises:
      ValueError: The size of the texture is not known.
    """
    if None in texture.shape[1:3]:
        raise ValueError(
            f"mipmaps take a texture of known height and width, got {texture.shape}"
        )
    levels = [texture]
    while all(size > 0 and size % 2 == 0 for size in levels[-1].shape[1:3]):
        _, height, width, _ = levels[-1].shape
        batch, _, _, channels = tf.unstack(tf.shape(texture))
        blocks = [batch, height // 2, 2, width // 2, 2, channels]
        levels.append(tf.reduce_mean(tf.reshape(levels[-1], blocks), [2, 4]))
    return levels


def join_mipmaps(levels: list[tf.Tensor]) -> tf.Tensor:
    """Puts a texture and its mipmaps into one picture, as the compiled op takes them.

    Args:
      levels: The texture and its mipmaps; see `make_mipmaps`.

    Returns:
      `[batch, rows, width, channels]`: the texture above, and below it, if there are
      mipmaps, half as many rows with these side by side from left to right.
    """
    texture, *mipmaps = levels
    if not mipmaps:
        return texture
    rows = mipmaps[0].shape[1]
    padded = [
        tf.pad(level, [[0, 0], [0, rows - level.shape[1]], [0, 0], [0, 0]])
        for level in mipmaps
    ]
    strip = tf.concat(padded, 2)
    rest = texture.shape[2] - strip.shape[2]
    return tf.concat([texture, tf.pad(strip, [[0, 0], [0, 0], [0, rest], [0, 0]])], 1)


def level_of_detail(footprint: tf.Tensor, size: tf.Tensor, levels: int) -> tf.Tensor:
    """Finds the level whose texels are as large as the pixel.

    Args:
      footprint: `[N, 2, 2]`, the derivatives of (u, v) with respect to x, then y.
      size: `[2]` int32, the width and height of the texture itself.
      levels: Number of levels: 1 more than there are mipmaps.

    Returns:
      `[N]`: log2 of the length in texels of the longer side of the footprint, from 0,
      the texture itself, also where it is magnified, to `levels` - 1.
    """
    texels = footprint * tf.cast(size, footprint.dtype)
    square = tf.reduce_max(tf.reduce_sum(texels * texels, -1), -1)
    # In this order the logarithm has a derivative everywhere, and NaN ends up at the
    # texture itself.
    detail = tf.math.log(tf.where(square > 1, square, 1)) / math.log(4)
    return tf.minimum(detail, levels - 1)
