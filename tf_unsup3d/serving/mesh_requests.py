"""How much a request of `render_mesh` has to draw."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tf_unsup3d.export.saved_model.user_meshes import camera_matrix
from tf_unsup3d.rendering.portable.candidates import PictureSize, find_boxes
from tf_unsup3d.rendering.portable.geometry import after, point
from tf_unsup3d.rendering.transform_points import transform_points

_CAMERA = ("field_of_view_degrees", "pose", "height", "width")
_NAMES = {"vertices", "triangles", *_CAMERA}
# Width of the soft layer in pixels, that of all models but for experiments.
_MARGIN = 1.0


def is_mesh_request(inputs: Mapping[str, np.ndarray]) -> bool:
    """Whether inputs are those of `render_mesh`, by their names."""
    return inputs.keys() >= _NAMES


def count_triangle_pixels(inputs: Mapping[str, np.ndarray]) -> int:
    """Counts the pixels that triangles may reach, for each triangle on its own.

    The time and memory that drawing takes grow with this number.

    Args:
      inputs: The inputs of `render_mesh` by name, with as many rows each.

    Returns:
      The sum over all triangles of the pixels in the bounding boxes of what of them
      lies before the camera, widened by the soft layer and cut off at the picture.
    """
    vertices, triangles = inputs["vertices"], inputs["triangles"]
    if not (vertices.size and triangles.size):
        return 0
    cameras = zip(*(inputs[name] for name in _CAMERA), strict=True)
    matrices = tf.stack([camera_matrix(*map(tf.constant, each)) for each in cameras])
    pixels = transform_points(tf.constant(vertices), matrices, backend="portable")
    # The model refuses an index that is out of range.
    indices = np.clip(triangles, 0, vertices.shape[1] - 1)
    corners = tf.gather(tf.cast(pixels, tf.float64), indices, batch_dims=1)
    first = point(tf.reshape(corners, [-1, 3, 3]))
    x, y, z = (after(values, 1) for values in first)
    height, width = (
        tf.repeat(tf.constant(inputs[name]), triangles.shape[1])
        for name in ("height", "width")
    )
    boxes = find_boxes(first, (x, y, z), PictureSize(height, width), _MARGIN)
    return int(tf.reduce_sum(tf.cast(boxes.pixel_counts(), tf.int64)))
