"""Differentiable rasterisation of textured triangle meshes.

What is drawn, and why it can be differentiated:

* *Sharp layer*: at each pixel centre the nearest triangle that is drawn: front-facing
  ones alone, or with `cull_backfaces=False` all that are not edge-on. The colour of
  a point on a triangle is the texture, sampled bilinearly at the interpolated UV,
  followed by the interpolated vertex attributes; interpolation is perspective-correct.
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

from tf_unsup3d.rendering import library, reference
from tf_unsup3d.rendering.inputs import (
    convert_input,
    convert_vertices,
    unwanted_gradients,
)

BACKENDS = ("op", "reference")


def render_mesh(
    vertices: tf.Tensor,
    triangles: tf.Tensor,
    neighbors: tf.Tensor,
    uv: tf.Tensor,
    uv_triangles: tf.Tensor,
    texture: tf.Tensor,
    attributes: tf.Tensor,
    background: tf.Tensor,
    *,
    margin: float = 1.0,
    depth_push: float = 0.02,
    cull_backfaces: bool = True,
    backend: str = "op",
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws a batch of meshes of one topology before their backgrounds.

    Triangles that turn counter-clockwise in the picture (their signed area in pixel
    coordinates, y down, is negative) are front-facing; by default only they are
    drawn. Of a triangle that reaches behind the camera the part at depths beyond 1e-6
    is drawn.
    The picture is differentiable with respect to all real inputs, once.

    Real inputs in float16 or bfloat16 count as float32: so does the picture then.

    Args:
      vertices: `[batch, vertices, 3]` float32 or float64, homogeneous pixel
        coordinates (x * z, y * z, z): pixel centres at half-integers, (0, 0) is the
        outer corner of the top-left pixel, z is the depth. Must be finite.
      triangles: `[triangles, 3]` int32, indices into the vertices.
      neighbors: `[triangles, 3]` int32, the triangle across the edge opposite to each
        corner, -1 where the mesh is open.
      uv: `[uvs, 2]`, texture coordinates in [0, 1], origin at the top left. Must be
        finite; beyond the texture its border continues.
      uv_triangles: `[triangles, 3]` int32, for each corner its index into `uv`.
      texture: `[batch, texture_height, texture_width, texture_channels]`, texel
        centres at half-integers; may have no channels.
      attributes: `[batch, vertices, attribute_channels]`; may have no channels.
      background: `[batch, height, width, texture_channels + attribute_channels]`; its
        height and width are the picture's.
      margin: width of the soft layer in pixels; 0 switches it off, and with it the
        gradient at silhouettes.
      depth_push: by which part of its depth the soft layer recedes over the margin.
        With 0 two silhouettes at equal depth change places abruptly.
      cull_backfaces: whether back-facing triangles are left out. Surfaces that are open
        or seen from inside take False.
      backend: `op`, the compiled op, or `reference`, the same picture from plain
        TensorFlow ops: slow, on any device.

    Returns:
      picture: `[batch, height, width, texture_channels + attribute_channels]`, the
        texture channels first.
      triangle_ids: `[batch, height, width]` int32, the triangle of the sharp layer at
        each pixel centre, -1 for the background. Not differentiable.

    Raises:
      ValueError: the backend is unknown.
      TypeError: the inputs' types do not fit together.
      tf.errors.InvalidArgumentError: a shape, an index or a value is wrong; the
        message names the input.
    """
    if backend not in BACKENDS:
        raise ValueError(
            f"unknown backend {backend!r}, there are {', '.join(map(repr, BACKENDS))}"
        )
    vertices = convert_vertices(vertices)
    dtype = vertices.dtype
    arguments = {
        "vertices": vertices,
        "triangles": convert_input("triangles", triangles, tf.int32),
        "neighbors": convert_input("neighbors", neighbors, tf.int32),
        "uv": convert_input("uv", uv, dtype),
        "uv_triangles": convert_input("uv_triangles", uv_triangles, tf.int32),
        "texture": convert_input("texture", texture, dtype),
        "attributes": convert_input("attributes", attributes, dtype),
        "background": convert_input("background", background, dtype),
        # Attributes of an op are float32: both backends shall see the same numbers.
        "margin": float(np.float32(margin)),
        "depth_push": float(np.float32(depth_push)),
        "cull_backfaces": bool(cull_backfaces),
    }
    if backend == "reference":
        return reference.render_mesh(**arguments)
    # No device is set here. Where the op was built without nvcc it has kernels for the
    # CPU alone, and TensorFlow's soft placement, on by default, puts it there.
    result = library.load_library().render_mesh(**arguments)
    return result.picture, result.triangle_ids


@tf.RegisterGradient("TfUnsup3d>RenderMesh")
def _render_mesh_gradient(
    op: tf.Operation, picture_gradient: tf.Tensor, _: tf.Tensor
) -> list[tf.Tensor | None]:
    wants_uv = 3 not in unwanted_gradients(op)
    gradients = library.load_library().render_mesh_grad(
        picture_gradient,
        op.outputs[1],
        *op.inputs,
        margin=op.get_attr("margin"),
        depth_push=op.get_attr("depth_push"),
        cull_backfaces=op.get_attr("cull_backfaces"),
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
