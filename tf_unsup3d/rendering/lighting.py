"""Lambert shading by a lamp that stays with the camera while the object turns."""

import dataclasses
import math
from typing import NamedTuple

import tensorflow as tf

# Light adds up in linear space; pictures are stored with the gamma of displays.
_GAMMA = 2.2


class Lights(NamedTuple):
    """The light of each picture of a batch.

    Attributes:
      direction: `[batch, 3]` unit vectors towards the lamp, in camera space.
      ambient: `[batch]`, the part of the light that comes from all around; the lamp
        gives the rest.
    """

    direction: tf.Tensor
    ambient: tf.Tensor


@dataclasses.dataclass(frozen=True)
class RandomLamps:
    """Lamps in front of the object, drawn uniformly from ranges of angles.

    A texture can only hold light that turns with the object. Where the lamp of the
    photographs stays with the camera, the shading of a surface tells how it is bent,
    from any one picture (Pan et al. 2021, who also draw the light at random).

    Attributes:
      azimuth: Largest angle of a lamp to the left or right of the camera, in degrees.
      elevation: Smallest and largest angle of a lamp above the camera, in degrees.
      ambient: Smallest and largest part of the light that comes from all around.
    """

    azimuth: float = 70.0
    elevation: tuple[float, float] = (-10.0, 60.0)
    ambient: tuple[float, float] = (0.3, 0.6)

    def __post_init__(self) -> None:
        for name in ("elevation", "ambient"):
            limits = tuple(getattr(self, name))  # JSON makes lists of tuples.
            if len(limits) != 2:
                raise ValueError(
                    f"{name} must be a lowest and a highest value, got {limits}"
                )
            object.__setattr__(self, name, limits)

    def sample(self, batch: int, seed: tf.Tensor) -> Lights:
        """Draws lights.

        Args:
          batch: Number of pictures.
          seed: `[2]` integer seed, as `tf.random.stateless_uniform` takes.

        Returns:
          The lights of the pictures.
        """
        return self._lights(tf.random.stateless_uniform([batch, 3], seed))

    def middle(self, batch: int) -> Lights:
        """Gives all pictures the same light, from the middle of every range."""
        return self._lights(tf.fill([batch, 3], 0.5))

    def _lights(self, parts: tf.Tensor) -> Lights:
        """The lights at parts `[batch, 3]` of the ranges."""
        lowest = tf.constant([-self.azimuth, self.elevation[0], self.ambient[0]])
        highest = tf.constant([self.azimuth, self.elevation[1], self.ambient[1]])
        azimuth, elevation, ambient = tf.unstack(
            lowest + parts * (highest - lowest), axis=-1
        )
        azimuth, elevation = (
            angle * (math.pi / 180.0) for angle in (azimuth, elevation)
        )
        direction = [
            tf.sin(azimuth) * tf.cos(elevation),
            -tf.sin(elevation),
            -tf.cos(azimuth) * tf.cos(elevation),
        ]
        return Lights(tf.stack(direction, -1), ambient)


def brightness(normals: tf.Tensor, lights: Lights) -> tf.Tensor:
    """Tells what light makes of the colours of a surface.

    Args:
      normals: `[batch, points, 3]` unit vectors, in camera space.
      lights: The lights of the batch.

    Returns:
      `[batch, points, 1]` factors in [0, 1] of display colours: 1 where the surface
      faces the lamp.
    """
    facing = tf.nn.relu(tf.matmul(normals, lights.direction[..., None]))
    ambient = lights.ambient[:, None, None]
    return (ambient + (1.0 - ambient) * facing) ** (1.0 / _GAMMA)
