"""Lighting by soft lamps and by ambient light that is brighter from above."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Lighting:
    """A soft lamp, a second one that may be dark, and ambient light, in camera space.

    Attributes:
      direction: [3] float32 unit vector towards the lamp.
      lamp: [3] float32 intensity of the lamp in linear light.
      ambient: [3] float32 intensity of the ambient light in linear light.
      second_direction: [3] float32 unit vector towards the second lamp.
      second_lamp: [3] float32 intensity of the second lamp in linear light.
    """

    direction: np.ndarray
    lamp: np.ndarray
    ambient: np.ndarray
    second_direction: np.ndarray = dataclasses.field(
        default_factory=lambda: np.array([0.0, 0.0, -1.0], np.float32)
    )
    second_lamp: np.ndarray = dataclasses.field(
        default_factory=lambda: np.zeros(3, np.float32)
    )

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Lighting":
        """Draws random lighting; the lamp is in front of the head, mostly above it.

        Args:
          rng: Random number generator, the only source of randomness.
        """
        azimuth, elevation = rng.uniform(-1.2, 1.2), rng.uniform(-0.15, 1.0)
        direction = _direction(azimuth, elevation)
        warmth = rng.normal(0.0, 0.05)
        tint = np.array([1.0 + warmth, 1.0, 1.0 - warmth])
        total = rng.uniform(0.75, 1.1)
        ambient = rng.uniform(0.3, 0.6)
        return cls(
            direction,
            (total * (1.0 - 0.6 * ambient) * tint).astype(np.float32),
            (total * ambient * (2.0 - tint)).astype(np.float32),
        )

    @classmethod
    def sample_portrait(cls, rng: np.random.Generator) -> "Lighting":
        """Draws random lighting as varied as that of portraits.

        One picture in three has a lamp as `sample` draws it; one in three has a second
        lamp on the other side; and in the last, most of the light comes from
        everywhere.

        Args:
          rng: Random number generator, the only source of randomness.
        """
        one = cls.sample(rng)
        kind = rng.integers(3)
        if kind == 0:
            return one
        if kind == 1:
            azimuth = -np.sign(one.direction[0]) * rng.uniform(0.3, 1.4)
            share = np.float32(rng.uniform(0.3, 1.0))
            dimmed = np.float32(1.0 / (1.0 + 0.5 * share))
            return dataclasses.replace(
                one,
                lamp=dimmed * one.lamp,
                second_direction=_direction(azimuth, rng.uniform(-0.15, 0.6)),
                second_lamp=dimmed * share * one.lamp,
            )
        left = np.float32(rng.uniform(0.0, 0.4))
        return dataclasses.replace(
            one,
            lamp=left * one.lamp,
            ambient=one.ambient + (1.0 - left) * one.lamp,
        )

    def shade(self, normals: np.ndarray) -> np.ndarray:
        """Computes the light that falls on a Lambertian surface.

        Args:
          normals: [points, 3] unit normals in camera space.

        Returns:
          [points, 3] irradiance in linear light.
        """
        sky = 0.75 - 0.25 * normals[..., 1]
        light = _facing(normals, self.direction) * self.lamp
        light += sky[..., None] * self.ambient
        if self.second_lamp.any():
            light += _facing(normals, self.second_direction) * self.second_lamp
        return light


def _direction(azimuth: float, elevation: float) -> np.ndarray:
    """The unit vector [3] float32 towards a lamp; azimuth 0 is behind the camera."""
    return np.array(
        [
            np.sin(azimuth) * np.cos(elevation),
            -np.sin(elevation),
            -np.cos(azimuth) * np.cos(elevation),
        ],
        np.float32,
    )


def _facing(normals: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """How much of a lamp surfaces [points, 3] face, [points, 1]."""
    # A large lamp also lights surfaces that face slightly away from its centre.
    return (np.maximum(normals @ direction + 0.15, 0.0) / 1.15)[..., None]
