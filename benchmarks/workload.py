"""What is drawn. Without TensorFlow, beside whose LLVM that of Mesa crashes."""

import dataclasses
import math

import numpy as np

# As `PinholeCamera()`. It looks along z at the origin, `DISTANCE` before it.
FIELD_OF_VIEW = math.radians(10.0)
DISTANCE = 1.0 / math.sin(0.5 * FIELD_OF_VIEW)


@dataclasses.dataclass(frozen=True, eq=False)
class Workload:
    """A batch of textured meshes of one topology before their backgrounds.

    Attributes:
      vertices: [batch, vertices, 3] float64, x right, y down, z away from the
        camera, which looks at the origin.
      triangles: [triangles, 3] int32.
      neighbors: [triangles, 3] int32, see `triangle_neighbors`.
      uv: [uvs, 2] float64 in [0, 1], origin at the top left.
      uv_triangles: [triangles, 3] int32, indices into `uv`.
      texture: [batch, texture_height, texture_width, 3] float64 in [-1, 1].
      background: [batch, height, width, 3] float64 in [-1, 1].
    """

    vertices: np.ndarray
    triangles: np.ndarray
    neighbors: np.ndarray
    uv: np.ndarray
    uv_triangles: np.ndarray
    texture: np.ndarray
    background: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture."""
        return self.background.shape[1:3]

    @property
    def uv_vertices(self) -> np.ndarray:
        """[uvs] int32, the vertex of each UV.

        `vertices[:, uv_vertices]` and `uv_triangles` are the same mesh with one UV for
        each vertex, for renderers that have no separate indices.
        """
        vertices = np.zeros(len(self.uv), np.int32)
        vertices[self.uv_triangles] = self.triangles
        return vertices
