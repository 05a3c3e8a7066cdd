"""Requests of `render_mesh`."""

import numpy as np

# Where the corners of a triangle are that reaches beyond every border.
EVERYWHERE = [[-2, -2, 1], [-2, 5, 1], [5, -2, 1]]


def mesh_inputs(*triangles, size=8, rows=1):
    """Inputs that draw triangles, which share no corners.

    At depth 1 the picture spans from -1 to 1.

    Args:
      *triangles: The corners `[3, 3]` of each, in camera space.
      size: Height and width of the picture.
      rows: How often all is repeated.
    """
    count = len(triangles)
    corners = np.arange(3 * count, dtype=np.int32).reshape([count, 3])
    one = {
        "vertices": np.reshape(np.array(triangles, np.float32), [-1, 3]),
        "triangles": corners,
        "uv": np.zeros([1, 2], np.float32),
        "uv_triangles": np.zeros([count, 3], np.int32),
        "texture": np.zeros([2, 2, 3], np.float32),
        "field_of_view_degrees": np.float32(90),
        "pose": np.eye(3, 4, dtype=np.float32),
        "height": np.int32(size),
        "width": np.int32(size),
    }
    return {name: np.stack([value] * rows) for name, value in one.items()}
