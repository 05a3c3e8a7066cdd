"""Pictures of meshes that are inputs of a graph."""

import math

import tensorflow as tf

from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.geometry.neighbors import find_neighbors
from tf_unsup3d.geometry.normals import vertex_normals
from tf_unsup3d.rendering.render_mesh import render_mesh
from tf_unsup3d.rendering.transform_points import transform_points

# Height and width in pixels, as of `Renderer`.
_LARGEST_SIZE = 8192


def camera_matrix(
    field_of_view_degrees: tf.Tensor,
    pose: tf.Tensor,
    height: tf.Tensor,
    width: tf.Tensor,
) -> tf.Tensor:
    """Computes `PinholeCamera.matrix` of a camera that is an input of a graph.

    Args:
      field_of_view_degrees: `[]`, the angle that the shorter side of the picture spans.
      pose: `[3, 4]`, the rotation and translation (R t) from world to camera space.
      height: `[]` int32, height of the picture in pixels.
      width: `[]` int32, width of the picture in pixels.

    Returns:
      `[3, 4]`, for `transform_points`.
    """
    size = tf.cast(tf.stack([width, height]), pose.dtype)
    slope = tf.tan(field_of_view_degrees * (math.pi / 360.0))
    focal = 0.5 * tf.reduce_min(size) / slope
    return tf.concat([focal * pose[:2] + 0.5 * size[:, None] * pose[2:], pose[2:]], 0)


def check_camera(
    field_of_view_degrees: tf.Tensor, height: tf.Tensor, width: tf.Tensor
) -> None:
    """Raises an error, when the graph is run, if pictures cannot be drawn.

    Args:
      field_of_view_degrees: `[batch]`.
      height: `[batch]` int32.
      width: `[batch]` int32.

    Raises:
      tf.errors.InvalidArgumentError: A value is out of range, or the pictures of the
        batch differ in size; the message names the input.
    """
    for name, size in (("height", height), ("width", width)):
        message = f"{name} must be from 1 to {_LARGEST_SIZE}"
        tf.debugging.assert_greater_equal(size, 1, message)
        tf.debugging.assert_less_equal(size, _LARGEST_SIZE, message)
        tf.debugging.assert_equal(
            size, size[:1], f"{name} must be the same for all pictures of a batch"
        )
    message = "field_of_view_degrees must be between 0 and 180"
    tf.debugging.assert_greater(field_of_view_degrees, 0.0, message)
    tf.debugging.assert_less(field_of_view_degrees, 180.0, message)


def draw_mesh(
    vertices: tf.Tensor,
    triangles: tf.Tensor,
    uv: tf.Tensor,
    uv_triangles: tf.Tensor,
    texture: tf.Tensor,
    field_of_view_degrees: tf.Tensor,
    pose: tf.Tensor,
    height: tf.Tensor,
    width: tf.Tensor,
    *,
    margin: float,
    depth_push: float,
    backend: str,
) -> dict[str, tf.Tensor]:
    """Draws one mesh before a background of 0.

    Args:
      vertices: `[vertices, 3]`, in world space.
      triangles: `[triangles, 3]` int32, the vertices at the corners.
      uv: `[uvs, 2]`, texture coordinates.
      uv_triangles: `[triangles, 3]` int32, the texture coordinates at the corners.
      texture: `[texture_height, texture_width, 3]`, colours in [-1, 1].
      field_of_view_degrees: `[]`; see `camera_matrix`.
      pose: `[3, 4]`; see `camera_matrix`.
      height: `[]` int32, height of the picture in pixels.
      width: `[]` int32, width of the picture in pixels.
      margin: Width of the soft layer in pixels; see `render_mesh`.
      depth_push: See `render_mesh`.
      backend: "op" or "portable"; see `render_mesh`.

    Returns:
      picture: `[height, width, 3]` in [-1, 1].
      depth: `[height, width]`, in the units of the vertices; 0 where the mask is 0.
      normals: `[height, width, 3]`, unit vectors in camera space; 0 where the mask is
        0.
      mask: `[height, width]`, the part of each pixel that shows the mesh.

    Raises:
      tf.errors.InvalidArgumentError: A number is not finite, an index is out of range,
        or an edge has more than two triangles.
    """
    mesh = Mesh(triangles, uv, uv_triangles, find_neighbors(triangles))
    matrix = camera_matrix(field_of_view_degrees, pose, height, width)
    pixels = tf.debugging.check_numerics(
        transform_points(vertices[None], matrix[None], backend=backend),
        "vertices, pose and field_of_view_degrees must be finite",
    )
    normals = tf.matmul(
        vertex_normals(vertices[None], triangles), pose[None, :, :3], transpose_b=True
    )
    depth = pixels[..., 2:]
    drawn = render_mesh(
        pixels,
        mesh,
        texture[None],
        tf.concat([normals, depth, tf.ones_like(depth)], -1),
        height=height,
        width=width,
        margin=margin,
        depth_push=depth_push,
        backend=backend,
    )["picture"][0]
    picture, normals, depth, mask = tf.split(drawn, [3, 3, 1, 1], -1)
    return {
        "picture": picture,
        "depth": tf.math.divide_no_nan(depth, mask)[..., 0],
        "normals": tf.math.l2_normalize(normals, -1),
        "mask": mask[..., 0],
    }
