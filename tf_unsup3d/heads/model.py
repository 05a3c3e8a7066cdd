"""Linear head models, with everything that rendering their heads needs."""

import dataclasses

import numpy as np

from tf_unsup3d.heads.hair import Hairstyle
from tf_unsup3d.heads.landmarks import SCALE

# Names of the coefficients that alone make left and right differ begin with this.
ASYMMETRY_PREFIX = "asymmetry_"


@dataclasses.dataclass(frozen=True, eq=False)
class LinearShape:
    """The shapes `mean + sum_k c_k basis_k`, with c_k ~ N(0, 1).

    Attributes:
      mean: [vertices, 3] float32 vertices of the mean shape.
      basis: [coefficients, vertices, 3] float32 components, each multiplied by its
        standard deviation.
    """

    mean: np.ndarray
    basis: np.ndarray

    def vertices(self, coefficients: np.ndarray) -> np.ndarray:
        """Computes the vertices of one shape.

        Args:
          coefficients: [coefficients] weights c_k of the components.

        Returns:
          [vertices, 3] float32.
        """
        change = np.asarray(coefficients, np.float32) @ self.basis.reshape(
            len(self.basis), -1
        )
        return self.mean + change.reshape(self.mean.shape)


@dataclasses.dataclass(frozen=True, eq=False)
class HeadModel:
    """Heads that share one mesh: their shape, and where on it hair and colours go.

    Attributes:
      shape: Surface without hair, in object space; fits into the unit ball.
      skull: Surface that the hair grows from; has the same vertices.
      names: Names of the coefficients.
      triangles: [triangles, 3] int32 vertex indices.
      neighbors: [triangles, 3] int32, see `Mesh`.
      coordinates: [vertices, 3] float32 face coordinates (see `landmarks.py`).
      regions: Weights, [vertices] float32 each in [0, 1], of the regions that the model
        knows, by name. Other regions are painted at their usual places.
    """

    shape: LinearShape
    skull: LinearShape
    names: tuple[str, ...]
    triangles: np.ndarray
    neighbors: np.ndarray
    coordinates: np.ndarray
    regions: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)

    def vertices(self, coefficients: np.ndarray, hairstyle: Hairstyle) -> np.ndarray:
        """Computes the vertices of one head with its hair.

        Args:
          coefficients: [coefficients] shape coefficients.
          hairstyle: Hairstyle of the head.

        Returns:
          [vertices, 3] float32 in object space.
        """
        vertices = self.shape.vertices(coefficients)
        cover, hair = hairstyle.volume(self.coordinates, self.regions.get("hair"))
        if self.skull is not self.shape:
            skull = self.skull.vertices(coefficients)
            vertices += cover[..., None] * (skull - vertices)
        return vertices + np.float32(SCALE) * hair
