"""Texture sampling: bilinear, and trilinear from mipmaps."""

import tensorflow as tf

from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.rendering.fragments import Fragments
from tf_unsup3d.rendering.inputs import convert_input, convert_uv, convert_vertices
from tf_unsup3d.rendering.mipmaps import level_of_detail, make_mipmaps
from tf_unsup3d.rendering.shading import check_batch, gather_corners


def sample_texture(
    fragments: Fragments,
    texture: tf.Tensor,
    uv: tf.Tensor,
    *,
    footprint: tf.Tensor | None = None,
) -> tf.Tensor:
    """Samples each picture's texture at its fragments.

    Texel centres lie at half-integers; beyond the outermost ones the value at the
    border continues.

    With a footprint the sample is trilinear: linear between the two mipmaps around the
    level of detail, that is log2 of the length in texels of the longer side of the
    footprint (OpenGL 4.6 specification, section 8.14.1). Each mipmap halves the one
    before, by means of 2 x 2 texels, as long as both its sides are even. All of it is
    differentiable, the level of detail too.

    Args:
      fragments: The fragments that `rasterize_mesh` found.
      texture: `[batch, texture_height, texture_width, channels]`.
      uv: `[N, 2]`, the texture coordinates of each fragment in [0, 1], with the origin
        at the top left.
      footprint: `[N, 2, 2]` from `uv_footprint`, for mipmaps, which take a texture
        whose height and width are known.

    Returns:
      `[N, channels]`.

    Raises:
      ValueError: The textures are of another batch, or, for mipmaps, their size is not
        known.
      TypeError: The type of an input does not fit that of the fragments.
    """
    dtype = fragments.barycentric.dtype
    texture = convert_input("texture", texture, dtype, "the fragments")
    uv = convert_input("uv", uv, dtype, "the fragments")
    check_batch("textures", texture, fragments)
    levels = [texture] if footprint is None else make_mipmaps(texture)
    sizes = tf.stack([tf.shape(level)[2:0:-1] for level in levels])
    counts = tf.reduce_prod(sizes, -1)
    starts = tf.cumsum(counts, exclusive=True)
    shape = tf.shape(texture)
    flat = [
        tf.reshape(level, [shape[0], counts[index], shape[3]])
        for index, level in enumerate(levels)
    ]
    texels = tf.reshape(tf.concat(flat, 1), [-1, shape[3]])
    first = fragments.pictures * tf.reduce_sum(counts)

    def sample(level: tf.Tensor) -> tf.Tensor:
        start = first + tf.gather(starts, level)
        return sample_bilinear(texels, start, tf.gather(sizes, level), uv)

    if footprint is None:
        return sample(tf.zeros_like(fragments.triangles))
    footprint = convert_input("footprint", footprint, dtype, "the fragments")
    detail = level_of_detail(footprint, sizes[0], len(levels))
    fine = tf.cast(tf.stop_gradient(detail), tf.int32)
    coarse = tf.minimum(fine + 1, len(levels) - 1)
    fraction = (detail - tf.cast(fine, dtype))[:, None]
    return (1 - fraction) * sample(fine) + fraction * sample(coarse)


def uv_footprint(fragments: Fragments, vertices: tf.Tensor, mesh: Mesh) -> tf.Tensor:
    """Tells how far a step by one pixel goes in the texture.

    The exact derivative of the perspective-correct interpolation. With corners V_k of
    the triangle, the visible point has the barycentric coordinates
    b_k = z (x, y, 1) . (V_i x V_j) / det(V_1, V_2, V_3), which sum to 1 (Olano and
    Greer, *Triangle scan conversion using 2D homogeneous coordinates*, 1997); their
    derivative with respect to (x, y) follows by the quotient rule.

    Args:
      fragments: The fragments that `rasterize_mesh` found.
      vertices: `[batch, vertices, 3]`, the vertices that were rasterised.
      mesh: The mesh that was rasterised, with a texture layout.

    Returns:
      `[N, 2, 2]`, the derivatives of (u, v) with respect to x, then y.

    Raises:
      TypeError: The type of an input does not fit.
      ValueError: The mesh has no texture coordinates.
    """
    corners = gather_corners(fragments, convert_vertices(vertices), mesh.triangles)
    uv = convert_uv(mesh, corners.dtype)
    corner_uv = gather_corners(fragments, uv, mesh.uv_triangles)
    weights = fragments.barycentric[..., None]
    depth = tf.reduce_sum(corners[..., 2:] * weights, 1)
    point_uv = tf.reduce_sum(corner_uv * weights, 1, keepdims=True)
    a, b, c = tf.unstack(corners, axis=1)
    normals = tf.stack([tf.linalg.cross(p, q) for p, q in ((b, c), (c, a), (a, b))], 1)
    determinant = tf.reduce_sum(a * tf.linalg.cross(b - a, c - a), -1, keepdims=True)
    # Rounding alone shows triangles without a volume; their footprint is a point.
    scale = tf.math.divide_no_nan(depth, determinant)
    slopes = scale[..., None] * normals[..., :2]
    return tf.matmul(slopes, corner_uv - point_uv, transpose_a=True)


def sample_bilinear(
    texels: tf.Tensor, start: tf.Tensor, size: tf.Tensor, uv: tf.Tensor
) -> tf.Tensor:
    """Samples textures that lie one after the other, each at some points.

    Args:
      texels: `[texels, channels]`, the rows of all textures.
      start: `[N]` or `[]` int32, the first texel of the texture that is sampled.
      size: `[N, 2]` or `[2]` int32, the (width, height) of that texture.
      uv: `[N, 2]`, where to sample it.

    Returns:
      `[N, channels]`.
    """
    last = tf.cast(tf.maximum(size - 1, 0), uv.dtype)
    position = uv * tf.cast(size, uv.dtype) - tf.constant(0.5, uv.dtype)
    # Unlike tf.clip_by_value this passes no gradient at the border itself.
    inside = (position > 0) & (position < last)
    position = tf.where(inside, position, tf.clip_by_value(position, 0, last))
    first = tf.floor(tf.stop_gradient(position))
    fraction = position - first
    first = tf.cast(first, tf.int32)
    second = tf.minimum(first + 1, size - 1)
    # A texture without channels may have no texels either: one is added.
    texels = tf.pad(texels, [[0, 1], [0, 0]])

    def texel(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        return tf.gather(texels, start + tf.maximum(y * size[..., 0] + x, 0))

    fx, fy = fraction[:, :1], fraction[:, 1:]
    top = texel(first[:, 0], first[:, 1]) * (1 - fx)
    top += texel(second[:, 0], first[:, 1]) * fx
    bottom = texel(first[:, 0], second[:, 1]) * (1 - fx)
    bottom += texel(second[:, 0], second[:, 1]) * fx
    return top * (1 - fy) + bottom * fy
