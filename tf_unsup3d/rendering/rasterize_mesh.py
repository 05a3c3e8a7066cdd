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

import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.rendering import op_library
from tf_unsup3d.rendering.backends import check_backend
from tf_unsup3d.rendering.fragments import Fragments
from tf_unsup3d.rendering.inputs import convert_input, convert_vertices
from tf_unsup3d.rendering.portable.rasterize import list_fragments


def rasterize_mesh(
    vertices: tf.Tensor,
    mesh: Mesh,
    height: int | tf.Tensor,
    width: int | tf.Tensor,
    *,
    margin: float = 1.0,
    depth_push: float = 0.02,
    cull_backfaces: bool = True,
    backend: str = "op",
) -> Fragments:
    """Finds what each pixel sees of a batch of surfaces that share a mesh.

    Args:
      vertices: `[batch, vertices, 3]`, homogeneous pixel coordinates as in
        `render_mesh`. Float16 and bfloat16 count as float32.
      mesh: The mesh of the vertices. Its texture layout does not matter here.
      height: Height of the pictures in pixels.
      width: Width of the pictures in pixels. A picture has at most 2^30 pixels.
      margin: Width of the soft layer in pixels; 0 switches it off.
      depth_push: Part of its depth by which the soft layer recedes over the margin.
      cull_backfaces: Whether back-facing triangles are left out.
      backend: "op" or "portable"; see `render_mesh`.

    Returns:
      The fragments.

    Raises:
      ValueError: The backend is unknown.
      TypeError: The type of an input does not fit.
      tf.errors.InvalidArgumentError: A shape, an index or a value is wrong; the
        message names the input.
    """
    check_backend(backend)
    arguments = {
        "vertices": convert_vertices(vertices),
        "triangles": convert_input("triangles", mesh.triangles, tf.int32),
        "neighbors": convert_input("neighbors", mesh.neighbors, tf.int32),
        "height": height,
        "width": width,
        # An attribute of an op is float32, for both of its uses.
        "margin": float(np.float32(margin)),
        "depth_push": float(np.float32(depth_push)),
        "cull_backfaces": bool(cull_backfaces),
    }
    if backend == "portable":
        return list_fragments(**arguments).in_order()
    return Fragments(*op_library.load_library().rasterize_mesh(**arguments))


@tf.RegisterGradient("TfUnsup3d>RasterizeMesh")
def _rasterize_mesh_gradient(
    op: tf.Operation, *gradients: tf.Tensor
) -> list[tf.Tensor | None]:
    _, _, barycentric_gradient, depth_gradient, weight_gradient, _ = gradients
    vertices, triangles, neighbors, _, _ = op.inputs
    vertices_gradient = op_library.load_library().rasterize_mesh_grad(
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
