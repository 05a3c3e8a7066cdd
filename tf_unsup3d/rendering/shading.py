"""From fragments to pictures: interpolation over triangles and compositing."""

import tensorflow as tf

from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.rendering.fragments import Fragments
from tf_unsup3d.rendering.inputs import convert_input, convert_uv


def interpolate(
    fragments: Fragments, attributes: tf.Tensor, triangles: tf.Tensor
) -> tf.Tensor:
    """Interpolates values at the corners of triangles, perspective-correct.

    Args:
      fragments: The fragments that `rasterize_mesh` found.
      attributes: `[batch, values, channels]`, or `[values, channels]` for all pictures
        of the batch.
      triangles: `[triangles, 3]` int32, for each corner an index into the values. For
        values at vertices these are the triangles of the mesh.

    Returns:
      `[N, channels]`, the value at each fragment.

    Raises:
      TypeError: The type of an input does not fit that of the fragments.
      ValueError: The attributes have another rank, or are of another batch.
    """
    dtype = fragments.barycentric.dtype
    attributes = convert_input("attributes", attributes, dtype, "the fragments")
    corners = gather_corners(fragments, attributes, triangles)
    return tf.reduce_sum(corners * fragments.barycentric[..., None], 1)


def interpolate_uv(fragments: Fragments, mesh: Mesh) -> tf.Tensor:
    """Interpolates the texture coordinates of a mesh.

    Args:
      fragments: The fragments that `rasterize_mesh` found.
      mesh: The mesh that was rasterised, with a texture layout.

    Returns:
      `[N, 2]`, the (u, v) at each fragment.

    Raises:
      TypeError: `mesh.uv` is a tensor of another type than the fragments.
      ValueError: The mesh has no texture coordinates.
    """
    uv = convert_uv(mesh, fragments.barycentric.dtype, "the fragments")
    return interpolate(fragments, uv, mesh.uv_triangles)


def gather_corners(
    fragments: Fragments, values: tf.Tensor, triangles: tf.Tensor
) -> tf.Tensor:
    """Gathers the values at the corners of each fragment's triangle.

    Args:
      fragments: The fragments that `rasterize_mesh` found.
      values: `[batch, values, channels]`, or `[values, channels]` for all pictures.
      triangles: `[triangles, 3]` int32, for each corner an index into the values.

    Returns:
      `[N, 3, channels]`.

    Raises:
      TypeError: The triangles are not int32.
      ValueError: The values have another rank, or are of another batch.
    """
    triangles = convert_input("triangles", triangles, tf.int32)
    corners = tf.gather(triangles, fragments.triangles)
    if values.shape.rank not in (2, 3):
        raise ValueError(
            "values at corners must be [values, channels] or [batch, values, channels],"
            f" got {values.shape}"
        )
    if values.shape.rank == 3:
        check_batch("values at corners", values, fragments)
        size = tf.shape(values)
        corners += fragments.pictures[:, None] * size[1]
        values = tf.reshape(values, [size[0] * size[1], size[2]])
    return tf.gather(values, corners)


def check_batch(name: str, values: tf.Tensor, fragments: Fragments) -> None:
    """Checks, where the sizes are known, that values are of the fragments' batch.

    Args:
      name: Name of the values, for the message.
      values: `[batch, ...]`.
      fragments: The fragments that `rasterize_mesh` found.

    Raises:
      ValueError: The values are of another batch.
    """
    pictures = fragments.triangle_ids.shape[:1]
    if not values.shape[:1].is_compatible_with(pictures):
        raise ValueError(
            f"{name} are of {values.shape[0]} pictures, the fragments of {pictures[0]}"
        )


def composite(
    fragments: Fragments, colours: tf.Tensor, background: tf.Tensor
) -> tf.Tensor:
    """Puts the fragments before the background.

    Args:
      fragments: The fragments that `rasterize_mesh` found.
      colours: `[N, channels]`, what each fragment shows: colours, or anything else.
      background: `[batch, height, width, channels]`.

    Returns:
      `[batch, height, width, channels]`, the mean of the colours in each pixel,
      weighted by the part of the pixel that shows them.

    Raises:
      TypeError: The type of an input does not fit that of the fragments.
      ValueError: The background has another shape than the pictures of the fragments,
        or other channels than the colours.
    """
    dtype = fragments.weight.dtype
    colours = convert_input("colours", colours, dtype, "the fragments")
    background = convert_input("background", background, dtype, "the fragments")
    expected = fragments.triangle_ids.shape + colours.shape[1:]
    if not background.shape.is_compatible_with(expected):
        raise ValueError(f"background must be {expected}, got {background.shape}")
    weight = fragments.weight[:, None]
    count = tf.size(fragments.triangle_ids, tf.int64)
    # One sum for both, the colours and the mask.
    sums = tf.math.unsorted_segment_sum(
        tf.concat([weight * colours, weight], 1), fragments.pixels, count
    )
    size = tf.shape(background)
    sums = tf.reshape(sums, tf.concat([size[:3], size[3:] + 1], 0))
    return sums[..., :-1] + (1 - sums[..., -1:]) * background
