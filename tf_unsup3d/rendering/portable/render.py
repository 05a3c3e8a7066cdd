"""From a mesh to its pictures."""

import tensorflow as tf

from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.rendering.portable.checks import check_sizes
from tf_unsup3d.rendering.portable.rasterize import list_fragments
from tf_unsup3d.rendering.shading import composite, interpolate
from tf_unsup3d.rendering.texture import sample_texture, uv_footprint


def draw(
    vertices: tf.Tensor,
    triangles: tf.Tensor,
    neighbors: tf.Tensor,
    uv: tf.Tensor,
    uv_triangles: tf.Tensor,
    texture: tf.Tensor,
    attributes: tf.Tensor,
    background: tf.Tensor,
    margin: float,
    depth_push: float,
    cull_backfaces: bool,
    mipmaps: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws like the op `render_mesh`, whose arguments it has.

    Unlike the op it leaves the check of indices to `tf.gather`, which on a GPU has
    none, and makes the mipmaps itself.

    Args:
      vertices: `[batch, vertices, 3]`.
      triangles: `[triangles, 3]` int32.
      neighbors: `[triangles, 3]` int32.
      uv: `[uvs, 2]`.
      uv_triangles: `[triangles, 3]` int32.
      texture: `[batch, texture_height, texture_width, texture_channels]`.
      attributes: `[batch, vertices, attribute_channels]`.
      background: `[batch, height, width, texture_channels + attribute_channels]`.
      margin: Width of the soft layer in pixels.
      depth_push: Part of its depth by which the soft layer recedes over the margin.
      cull_backfaces: Whether back-facing triangles are left out.
      mipmaps: Whether the texture is sampled from mipmaps.

    Returns:
      picture: `[batch, height, width, texture_channels + attribute_channels]`.
      triangle_ids: `[batch, height, width]` int32.

    Raises:
      tf.errors.InvalidArgumentError: Another input is wrong.
    """
    check_sizes(vertices, texture, attributes, background)
    height, width = tf.unstack(tf.shape(background)[1:3])
    fragments = list_fragments(
        vertices,
        triangles,
        neighbors,
        height,
        width,
        margin,
        depth_push,
        cull_backfaces,
    )
    points = interpolate(fragments, uv, uv_triangles)
    footprint = None
    if mipmaps:
        mesh = Mesh(triangles, uv, uv_triangles, neighbors)
        footprint = uv_footprint(fragments, vertices, mesh)
    colours = [
        sample_texture(fragments, texture, points, footprint=footprint),
        interpolate(fragments, attributes, triangles),
    ]
    picture = composite(fragments, tf.concat(colours, -1), background)
    ids = tf.ensure_shape(fragments.triangle_ids, background.shape[:3])
    return tf.ensure_shape(picture, background.shape), ids
