"""Differentiable rasterisation of textured triangle meshes.

What is drawn, and why it can be differentiated:

* *Sharp layer*: at each pixel centre the nearest triangle that is drawn: front-facing
  ones alone, or with `cull_backfaces=False` all that are not edge-on. The colour of
  a point on a triangle is the texture, sampled bilinearly at the interpolated UV,
  or trilinearly with `mipmaps=True`, followed by the interpolated vertex attributes;
  interpolation is perspective-correct.
* *Soft layer*: a silhouette edge, one between a drawn triangle and one that is not
  drawn (or none), owns a fragment at each pixel centre at a distance d < margin from
  it, with the colour and the depth z of the nearest point of the edge. Where back
  faces are drawn, so does an edge between a front-facing and a back-facing triangle:
  a fold, both of whose triangles lie on the same side of it. Its colour is that of the
  one in front, so that the soft layer continues what is seen there. The pixel is
  the mean over 0 < v < 1 of the hard pictures in which every silhouette is extended
  by v * margin and recedes over that width from z to z * (1 + depth_push). A single
  fragment before a surface at depth z_s thus has the opacity
  `1 - d / margin * max(1, depth_push * z / (z_s - z))`, 0 if that is negative: full
  at the edge, none at the margin, and none where the receding fragment meets the
  surface, which it merely continues.

The op has no XLA kernel: a function of `jit_compile=True` that renders raises an error
which names the op. In `tf.vectorized_map` it draws one element after the other; a batch
at once is faster.

The picture is a continuous function of the vertices wherever no triangle turns from
front to back and no surfaces cut through each other, and its gradient is exact, at
silhouettes and self-occlusions too.
"""

import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.rendering import op_library
from tf_unsup3d.rendering.backends import check_backend
from tf_unsup3d.rendering.gradients import unwanted_gradients
from tf_unsup3d.rendering.inputs import convert_input, convert_uv, convert_vertices
from tf_unsup3d.rendering.mipmaps import join_mipmaps, make_mipmaps
from tf_unsup3d.rendering.portable.render import draw


def render_mesh(
    vertices: tf.Tensor,
    mesh: Mesh,
    texture: tf.Tensor | None = None,
    attributes: tf.Tensor | None = None,
    background: tf.Tensor | None = None,
    *,
    height: int | tf.Tensor | None = None,
    width: int | tf.Tensor | None = None,
    margin: float = 1.0,
    depth_push: float = 0.02,
    cull_backfaces: bool = True,
    mipmaps: bool = False,
    backend: str = "op",
) -> dict[str, tf.Tensor]:
    """Draws a batch of surfaces that share a mesh before their backgrounds.

    Only front-facing triangles are drawn by default; `Mesh` says which those are. Of a
    triangle that reaches behind the camera the part at depths beyond 1e-6 is drawn. The
    picture is differentiable with respect to all real inputs, once; with respect to
    texture coordinates where `mesh.uv` is a tensor.

    Real inputs in float16 or bfloat16 count as float32, and so does the picture then.

    Args:
      vertices: `[batch, vertices, 3]` float32 or float64, homogeneous pixel coordinates
        (x z, y z, z): pixel centres are at half-integers, (0, 0) is the outer corner of
        the top-left pixel, z is the depth. Must be finite.
      mesh: The mesh of the vertices, with a texture layout if there is a texture. The
        border of a texture continues beyond it.
      texture: `[batch, texture_height, texture_width, texture_channels]`, with texel
        centres at half-integers, or None.
      attributes: `[batch, vertices, attribute_channels]`, values at the vertices that
        are interpolated between them, or None.
      background: `[batch, height, width, texture_channels + attribute_channels]`. The
        default is 0. A picture has at most 2^30 pixels.
      height: Height of the pictures in pixels, where there is no background to tell it.
      width: Width of the pictures in pixels, likewise.
      margin: Width of the soft layer in pixels; 0 switches it off, and with it the
        gradient at silhouettes.
      depth_push: Part of its depth by which the soft layer recedes over the margin.
        With 0, two silhouettes at equal depth change places abruptly.
      cull_backfaces: Whether back-facing triangles are left out. Surfaces that are open
        or seen from inside take False.
      mipmaps: Whether to sample the texture from mipmaps, as `sample_texture` does with
        a footprint, where many texels fall into a pixel. They take a texture whose
        height and width are known. The default samples bilinearly, which is faster and
        the same for a texture that is nowhere finer than the picture.
      backend: "op", the compiled op, or "portable", the same picture from stock
        TensorFlow ops: slow, on any device.

    Returns:
      picture: `[batch, height, width, texture_channels + attribute_channels]`, the
        texture channels first.
      triangle_ids: `[batch, height, width]` int32, the triangle of the sharp layer at
        each pixel centre, or -1 for the background. Not differentiable.

    Raises:
      ValueError: The backend is unknown, the size of the pictures is missing or given
        twice, a texture comes with a mesh that has no texture layout, or the size of a
        texture with mipmaps is not known.
      TypeError: The types of the inputs do not fit together.
      tf.errors.InvalidArgumentError: A shape, an index or a value is wrong; the
        message names the input.
    """
    check_backend(backend)
    _check_size(background, height, width)
    vertices = convert_vertices(vertices)
    dtype = vertices.dtype
    batch = tf.shape(vertices)[0]
    triangles = convert_input("triangles", mesh.triangles, tf.int32)
    if texture is None:
        texture = tf.zeros([batch, 1, 1, 0], dtype)
        uv, uv_triangles = tf.zeros([1, 2], dtype), tf.zeros_like(triangles)
    else:
        texture = convert_input("texture", texture, dtype)
        uv = convert_uv(mesh, dtype)
        uv_triangles = convert_input("uv_triangles", mesh.uv_triangles, tf.int32)
    if attributes is None:
        attributes = tf.zeros_like(vertices[..., :0])
    else:
        attributes = convert_input("attributes", attributes, dtype)
    if background is None:
        channels = tf.shape(texture)[-1] + tf.shape(attributes)[-1]
        background = tf.zeros([batch, height, width, channels], dtype)
    else:
        background = convert_input("background", background, dtype)
    arguments = {
        "vertices": vertices,
        "triangles": triangles,
        "neighbors": convert_input("neighbors", mesh.neighbors, tf.int32),
        "uv": uv,
        "uv_triangles": uv_triangles,
        "texture": texture,
        "attributes": attributes,
        "background": background,
        # Attributes of an op are float32: both backends shall see the same numbers.
        "margin": float(np.float32(margin)),
        "depth_push": float(np.float32(depth_push)),
        "cull_backfaces": bool(cull_backfaces),
    }
    if backend == "portable":
        picture, triangle_ids = draw(**arguments, mipmaps=mipmaps)
    else:
        levels = make_mipmaps(texture) if mipmaps else [texture]
        arguments["texture"] = join_mipmaps(levels)
        # No device is set here. Where the op was built for the CPU alone it has kernels
        # for that alone, and TensorFlow's soft placement, on by default, puts it there.
        result = op_library.load_library().render_mesh(
            **arguments, mipmaps=len(levels) - 1
        )
        picture, triangle_ids = result.picture, result.triangle_ids
    return {"picture": picture, "triangle_ids": triangle_ids}


def _check_size(
    background: tf.Tensor | None, height: int | None, width: int | None
) -> None:
    """Makes sure that the size of the pictures is known from one source."""
    if background is None and (height is None or width is None):
        raise ValueError("without a background, height and width must be given")
    if background is not None and not (height is None and width is None):
        raise ValueError("height and width are those of the background: leave them out")


@tf.RegisterGradient("TfUnsup3d>RenderMesh")
def _render_mesh_gradient(
    op: tf.Operation, picture_gradient: tf.Tensor, _: tf.Tensor
) -> list[tf.Tensor | None]:
    wants_uv = 3 not in unwanted_gradients(op)
    gradients = op_library.load_library().render_mesh_grad(
        picture_gradient,
        op.outputs[1],
        *op.inputs,
        margin=op.get_attr("margin"),
        depth_push=op.get_attr("depth_push"),
        cull_backfaces=op.get_attr("cull_backfaces"),
        mipmaps=op.get_attr("mipmaps"),
        wants_uv=wants_uv,
    )
    return [
        gradients.vertices_gradient,
        None,
        None,
        gradients.uv_gradient if wants_uv else None,
        None,
        gradients.texture_gradient,
        gradients.attributes_gradient,
        gradients.background_gradient,
    ]
