"""Affine maps of points."""

import tensorflow as tf

from tf_unsup3d.rendering import op_library
from tf_unsup3d.rendering.backends import check_backend
from tf_unsup3d.rendering.gradients import unwanted_gradients
from tf_unsup3d.rendering.inputs import convert_input, convert_vertices


def transform_points(
    points: tf.Tensor, matrices: tf.Tensor, *, backend: str = "op"
) -> tf.Tensor:
    """Maps points by affine maps: a rotation, a camera, or both at once.

    The matrix K (R t) of a camera with the intrinsic matrix K and the pose (R t), which
    sees a point p at R p + t, maps points to the homogeneous pixel coordinates that
    `render_mesh` takes.

    Each result is rounded once, and does not depend on the points beside it. It is
    differentiable with respect to both inputs any number of times. The derivative with
    respect to the matrices is a sum by TensorFlow, the rounding of which may depend on
    the number of threads.

    Args:
      points: `[batch, points, 3]` float32 or float64; half precision counts as
        float32.
      matrices: `[batch, 3, 4]`, or `[1, 3, 4]` for all pictures, of the type of the
        points. (A b) maps a point p to A p + b.
      backend: "op" or "portable"; see `render_mesh`.

    Returns:
      `[batch, points, 3]`.

    Raises:
      ValueError: The backend is unknown.
      TypeError: The type of an input does not fit.
      tf.errors.InvalidArgumentError: A shape is wrong; the message names the input.
    """
    check_backend(backend)
    points = convert_vertices(points, "points")
    matrices = convert_input("matrices", matrices, points.dtype, "points")
    if backend == "portable":
        return _transform_points_portably(points, matrices)
    return op_library.load_library().transform_points(points, matrices)


def _transform_points_portably(points: tf.Tensor, matrices: tf.Tensor) -> tf.Tensor:
    """In double precision, so that each result is rounded once."""
    for name, value, shape in (
        ("points", points, [None, None, 3]),
        ("matrices", matrices, [None, 3, 4]),
    ):
        if not value.shape.is_compatible_with(shape):
            raise tf.errors.InvalidArgumentError(
                None, None, f"{name} must have the shape {shape}, got {value.shape}"
            )
    count = tf.shape(matrices)[0]
    tf.debugging.Assert(
        (count == 1) | (count == tf.shape(points)[0]),
        ["matrices must be one for all or one for each picture of points"],
    )
    wide = tf.cast(matrices, tf.float64)
    linear = tf.matmul(tf.cast(points, tf.float64), wide[..., :3], transpose_b=True)
    return tf.cast(linear + wide[:, None, :, 3], points.dtype)


def _points_gradient(matrices: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    transposed = tf.linalg.matrix_transpose(matrices[..., :3])
    return transform_points(gradient, tf.pad(transposed, [[0, 0], [0, 0], [0, 1]]))


def _matrices_gradient(
    points: tf.Tensor, matrices: tf.Tensor, gradient: tf.Tensor
) -> tf.Tensor:
    linear = tf.matmul(gradient, points, transpose_a=True)
    offset = tf.reduce_sum(gradient, 1)[..., None]
    of_pictures = tf.concat([linear, offset], -1)
    # One matrix for all pictures, or one for each.
    count = tf.shape(matrices)[0]
    shared_by = tf.shape(points)[0] // tf.maximum(count, 1)
    return tf.reduce_sum(tf.reshape(of_pictures, [shared_by, count, 3, 4]), 0)


@tf.RegisterGradient("TfUnsup3d>TransformPoints")
def _transform_points_gradient(
    op: tf.Operation, gradient: tf.Tensor
) -> list[tf.Tensor | None]:
    points, matrices = op.inputs
    unwanted = unwanted_gradients(op)
    return [
        None if 0 in unwanted else _points_gradient(matrices, gradient),
        None if 1 in unwanted else _matrices_gradient(points, matrices, gradient),
    ]
