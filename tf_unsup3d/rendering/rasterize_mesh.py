"""The picture before it is coloured: what each pixel sees of the mesh.

`rasterize_mesh` finds the layers of the picture that `render_mesh` draws, the soft ones
and the sharp one, as a list of fragments of any length: no pixel has a fixed number of
them, so nothing is cut off. What a fragment shows is then computed with plain
TensorFlow ops, and `composite` puts the picture together:

    fragments = rasterize_mesh(pixels, mesh, height, width)
    uv = interpolate_uv(fragments, mesh)
    colours = sample_texture(fragments, texture, uv)
    picture = composite(fragments, colours, background)

The same gives a mask, the colour 1 before a background of 0; a depth map, the colour
`fragments.depth[:, None]`; normals, which `interpolate` spreads like any attribute;
and with `fragments.barycentric` the places on the triangles. `fragments.triangle_ids`
is the picture of the triangles themselves.

The list of each picture has its own length, which `tf.vectorized_map` has no place for:
give `rasterize_mesh` the whole batch. The op has no XLA kernel: a function of
`jit_compile=True` that rasterises raises an error which names the op.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.rendering import library
from tf_unsup3d.rendering.inputs import convert_input, convert_vertices


class Fragments(NamedTuple):
    """What the pixels of a batch of pictures see, by ascending pixel.

    Within a pixel the fragments stand in the order of its layers, from the outer end of
    the soft layer to the sharp one; a fragment that is seen in several layers stands
    there as often. Barycentric coordinates, depth and weight are differentiable with
    respect to the vertices, once.

    Attributes:
      pixels: `[N]` int64, flat indices into `[batch, height, width]`.
      triangles: `[N]` int32, the triangle that the fragment is a point of.
      barycentric: `[N, 3]`, the place of the point on the triangle, in space: what is
        interpolated with them is perspective-correct.
      depth: `[N]`, the depth of the point.
      weight: `[N]`, the part of the pixel that shows the fragment, positive. The
        weights of a pixel sum to its mask; the rest of it shows the background.
      triangle_ids: `[batch, height, width]` int32, the triangle of the sharp layer at
        each pixel centre, or -1 for the background.
    """

    pixels: tf.Tensor
    triangles: tf.Tensor
    barycentric: tf.Tensor
    depth: tf.Tensor
    weight: tf.Tensor
    triangle_ids: tf.Tensor

    @property
    def pictures(self) -> tf.Tensor:
        """`[N]` int32, the picture of the batch that each fragment belongs to."""
        size = tf.shape(self.triangle_ids, tf.int64)
        return tf.cast(self.pixels // (size[1] * size[2]), tf.int32)


def rasterize_mesh(
    vertices: tf.Tensor,
    mesh: Mesh,
    height: int | tf.Tensor,
    width: int | tf.Tensor,
    *,
    margin: float = 1.0,
    depth_push: float = 0.02,
    cull_backfaces: bool = True,
) -> Fragments:
    """Finds what each pixel sees of a batch of surfaces that share a mesh.

    Args:
      vertices: `[batch, vertices, 3]`, homogeneous pixel coordinates as in
        `render_mesh`. Float16 and bfloat16 count as float32.
      mesh: The mesh of the vertices. Its texture layout does not matter here.
      height: Height of the pictures in pixels.
      width: Width of the pictures in pixels.
      margin: Width of the soft layer in pixels; 0 switches it off.
      depth_push: Part of its depth by which the soft layer recedes over the margin.
      cull_backfaces: Whether back-facing triangles are left out.

    Returns:
      The fragments.

    Raises:
      TypeError: The type of an input does not fit.
      tf.errors.InvalidArgumentError: A shape, an index or a value is wrong; the
        message names the input.
    """
    result = library.load_library().rasterize_mesh(
        convert_vertices(vertices),
        convert_input("triangles", mesh.triangles, tf.int32),
        convert_input("neighbors", mesh.neighbors, tf.int32),
        height,
        width,
        # An attribute of an op is float32, for both of its uses.
        margin=float(np.float32(margin)),
        depth_push=float(np.float32(depth_push)),
        cull_backfaces=bool(cull_backfaces),
    )
    return Fragments(*result)


@tf.RegisterGradient("TfUnsup3d>RasterizeMesh")
def _rasterize_mesh_gradient(
    op: tf.Operation, *gradients: tf.Tensor
) -> list[tf.Tensor | None]:
    _, _, barycentric_gradient, depth_gradient, weight_gradient, _ = gradients
    vertices, triangles, neighbors, _, _ = op.inputs
    vertices_gradient = library.load_library().rasterize_mesh_grad(
        barycentric_gradient,
        depth_gradient,
        weight_gradient,
        op.outputs[0],
        op.outputs[5],
        vertices,
        triangles,
        neighbors,
        margin=op.get_attr("margin"),
        depth_push=op.get_attr("depth_push"),
        cull_backfaces=op.get_attr("cull_backfaces"),
    )
    return [vertices_gradient, None, None, None, None]
