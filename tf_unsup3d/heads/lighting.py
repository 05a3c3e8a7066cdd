"""Lighting by one soft lamp and by ambient light that is brighter from above."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Lighting:
    """A soft lamp and ambient light, in camera space.

    Attributes:
      direction: [3] float32 unit vector towards the lamp.
      lamp: [3] float32 intensity of the lamp in linear light.
      ambient: [3] float32 intensity of the ambient light in linear light.
    """

    direction: np.ndarray
    lamp: np.ndarray
    ambient: np.ndarray

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Lighting":
        """Draws random lighting; the lamp is in front of the head, mostly above it.

        Args:
          rng: Random number generator, the only source of randomness.
        """
        azimuth, elevation = rng.uniform(-1.2, 1.2), rng.uniform(-0.15, 1.0)
        direction = np.array(
            [
                np.sin(azimuth) * np.cos(elevation),
                -np.sin(elevation),
                -np.cos(azimuth) * np.cos(elevation),
            ]
        )
        warmth = rng.normal(0.0, 0.05)
        tint = np.array([1.0 + warmth, 1.0, 1.0 - warmth])
        total = rng.uniform(0.75, 1.1)
        ambient = rng.uniform(0.3, 0.6)
        return cls(
            direction.astype(np.float32),
            (total * (1.0 - 0.6 * ambient) * tint).astype(np.float32),
            (total * ambient * (2.0 - tint)).astype(np.float32),
        )

    def shade(self, normals: np.ndarray) -> np.ndarray:
        """Computes the light that falls on a Lambertian surface.

        Args:
          normals: [points, 3] unit normals in camera space.

        Returns:
          [points, 3] irradiance in linear light.
        """
        # A large lamp also lights surfaces that face slightly away from its centre.
        facing = np.maximum(normals @ self.direction + 0.15, 0.0) / 1.15
        sky = 0.75 - 0.25 * normals[..., 1]
        return facing[..., None] * self.lamp + sky[..., None] * self.ambient
