"""A linear model of heads with all that is needed to draw them."""

import dataclasses

import numpy as np

from tf_unsup3d.heads.hair import Hairstyle
from tf_unsup3d.heads.landmarks import SCALE

# Coefficients of this kind alone make left and right differ.
ASYMMETRY_PREFIX = "asymmetry_"


@dataclasses.dataclass(frozen=True, eq=False)
class LinearShape:
    """`mean + sum_k c_k basis_k` with c_k ~ N(0, 1).

    Attributes:
      mean: [vertices, 3] float32.
      basis: [coefficients, vertices, 3] float32, each scaled by its deviation.
    """

    mean: np.ndarray
    basis: np.ndarray

    def vertices(self, coefficients: np.ndarray) -> np.ndarray:
        """The vertices of one head.

        Args:
          coefficients: [coefficients].

        Returns:
          [vertices, 3] float32.
        """
        change = np.asarray(coefficients, np.float32) @ self.basis.reshape(
            len(self.basis), -1
        )
        return self.mean + change.reshape(self.mean.shape)


@dataclasses.dataclass(frozen=True, eq=False)
class HeadModel:
    """Heads of one mesh: their shape, and where on it hair and colours go.

    Attributes:
      shape: the surface without hair, in the object's axes; fits the unit ball.
      skull: the surface that hair grows from, of the same mesh.
      names: of the coefficients.
      triangles: [triangles, 3] int32.
      neighbors: [triangles, 3] int32, see `Mesh`.
      coordinates: [vertices, 3] float32, face coordinates (see `landmarks.py`).
      regions: [vertices] float32 each, weights in [0, 1] of the regions that the model
        knows, by name; those it does not know are painted at their usual places.
    """

    shape: LinearShape
    skull: LinearShape
    names: tuple[str, ...]
    triangles: np.ndarray
    neighbors: np.ndarray
    coordinates: np.ndarray
    regions: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)

    def vertices(self, coefficients: np.ndarray, hairstyle: Hairstyle) -> np.ndarray:
        """The vertices of one head with its hair.

        Args:
          coefficients: [coefficients].
          hairstyle: the volume of the hair.

        Returns:
          [vertices, 3] float32.
        """
        vertices = self.shape.vertices(coefficients)
        cover, hair = hairstyle.volume(self.coordinates, self.regions.get("hair"))
        if self.skull is not self.shape:
            skull = self.skull.vertices(coefficients)
            vertices += cover[..., None] * (skull - vertices)
        return vertices + np.float32(SCALE) * hair
