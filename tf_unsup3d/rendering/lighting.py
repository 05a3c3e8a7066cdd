"""Lambert shading by lamps that stay with the camera while the object turns."""

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
      ambient: `[batch]`, the part of the light that comes from all around; the lamps
        give the rest.
      fill_direction: `[batch, 3]` unit vectors towards the fill light, a second lamp,
        or None if there is none.
      fill: `[batch]`, the strength of the fill light as a part of the lamp's, or None.
    """

    direction: tf.Tensor
    ambient: tf.Tensor
    fill_direction: tf.Tensor | None = None
    fill: tf.Tensor | None = None


@dataclasses.dataclass(frozen=True)
class RandomLamps:
    """Lamps in front of the object, drawn uniformly from ranges of angles.

    A texture can only hold light that turns with the object. Where the lamp of the
    photographs stays with the camera, the shading of a surface tells how it is bent,
    from any one picture (Pan et al. 2021, who also draw the light at random).

    Attributes:
      azimuth: Largest angle of a lamp to the left or right of the camera, in degrees,
        finite and at least 0.
      elevation: Smallest and largest angle of a lamp above the camera, in degrees. Both
        are finite.
      ambient: Smallest and largest part of the light that comes from all around, above
        0 and at most 1. With 1, some pictures have no shading at all.
      fill: Largest strength of a fill light, a second lamp on the other side of the
        camera, as a part of the lamp's strength, from 0 to 1. It is drawn uniformly
        from 0.

    Raises:
      ValueError: A value is out of range; the message names it.
    """

    azimuth: float = 70.0
    elevation: tuple[float, float] = (-10.0, 60.0)
    ambient: tuple[float, float] = (0.3, 0.6)
    fill: float = 0.0

    def __post_init__(self) -> None:
        for name in ("elevation", "ambient"):
            limits = tuple(getattr(self, name))  # JSON makes lists of tuples.
            if len(limits) != 2 or not limits[0] <= limits[1]:
                raise ValueError(
                    f"{name} must be a lowest and a highest value, got {limits}"
                )
            object.__setattr__(self, name, limits)
        if not 0.0 <= self.azimuth < math.inf:
            raise ValueError(
                f"azimuth must be finite and at least 0, got {self.azimuth}"
            )
        if not all(map(math.isfinite, self.elevation)):
            raise ValueError(f"elevation must be finite, got {self.elevation}")
        # In the dark, what displays make of light has an infinite slope.
        if not (self.ambient[0] > 0.0 and self.ambient[1] <= 1.0):
            raise ValueError(
                f"ambient must be above 0 and at most 1, got {self.ambient}"
            )
        if not 0.0 <= self.fill <= 1.0:
            raise ValueError(f"fill must be from 0 to 1, got {self.fill}")

    @property
    def parameters(self) -> int:
        """Number of parameters of a picture's light; see `lights`."""
        return 6 if self.fill else 3

    def sample(self, batch: int, seed: tf.Tensor) -> Lights:
        """Draws lights.

        Args:
          batch: Number of pictures.
          seed: `[2]` integer seed, as `tf.random.stateless_uniform` takes.

        Returns:
          The lights of the pictures.
        """
        return self.lights(self.sample_parameters(batch, seed))

    def sample_parameters(self, batch: int, seed: tf.Tensor) -> tf.Tensor:
        """Draws the parameters of the lights that `sample` draws.

        Args:
          batch: Number of pictures.
          seed: `[2]` integer seed, as `tf.random.stateless_uniform` takes.

        Returns:
          `[batch, parameters]` in [0, 1].
        """
        lamp = tf.random.stateless_uniform([batch, 3], seed)
        if not self.fill:
            return lamp
        # A stream of its own, so that the lamp does not depend on the fill light.
        return tf.concat([lamp, tf.random.stateless_uniform([batch, 3], -1 - seed)], -1)

    def middle(self, batch: int) -> Lights:
        """Gives all pictures the same light, from the middle of every range."""
        return self.lights(tf.fill([batch, self.parameters], 0.5))

    def lights(self, parameters: tf.Tensor) -> Lights:
        """Makes the lights of parameters, which receive their gradients.

        Args:
          parameters: `[batch, parameters]` in [0, 1], which say where in its range each
            quantity lies: azimuth, elevation and ambient part of the lamp; if there is
            a fill light, also its azimuth, elevation and strength.

        Returns:
          The lights of the pictures.
        """
        lowest = tf.constant([-self.azimuth, self.elevation[0], self.ambient[0]])
        highest = tf.constant([self.azimuth, self.elevation[1], self.ambient[1]])
        azimuth, elevation, ambient = tf.unstack(
            lowest + parameters[:, :3] * (highest - lowest), axis=-1
        )
        azimuth, elevation = (
            angle * (math.pi / 180.0) for angle in (azimuth, elevation)
        )
        direction = _direction(azimuth, elevation)
        if not self.fill:
            return Lights(direction, ambient)
        lowest = tf.constant([0.0, self.elevation[0], 0.0])
        highest = tf.constant([self.azimuth, self.elevation[1], self.fill])
        fill_azimuth, fill_elevation, fill = tf.unstack(
            lowest + parameters[:, 3:] * (highest - lowest), axis=-1
        )
        radians = math.pi / 180.0
        fill_azimuth = tf.where(azimuth > 0.0, -fill_azimuth, fill_azimuth) * radians
        fill_direction = _direction(fill_azimuth, fill_elevation * radians)
        return Lights(direction, ambient, fill_direction, fill)


def lamp(
    batch: int, azimuth_degrees: float, elevation_degrees: float, ambient: float
) -> Lights:
    """Gives all pictures the light of a lamp at given angles.

    Args:
      batch: Number of pictures.
      azimuth_degrees: Angle of the lamp to the right of the camera.
      elevation_degrees: Angle of the lamp above the camera.
      ambient: The part of the light that comes from all around, from 0 to 1.

    Returns:
      The lights of the pictures.
    """
    azimuth, elevation = (
        tf.fill([batch], math.radians(angle))
        for angle in (azimuth_degrees, elevation_degrees)
    )
    return Lights(_direction(azimuth, elevation), tf.fill([batch], float(ambient)))


def _direction(azimuth: tf.Tensor, elevation: tf.Tensor) -> tf.Tensor:
    """The unit vectors `[batch, 3]` towards lamps at angles in radians."""
    return tf.stack(
        [
            tf.sin(azimuth) * tf.cos(elevation),
            -tf.sin(elevation),
            -tf.cos(azimuth) * tf.cos(elevation),
        ],
        -1,
    )


def brightness(normals: tf.Tensor, lights: Lights) -> tf.Tensor:
    """Tells what light makes of the colours of a surface.

    Args:
      normals: `[batch, points, 3]` unit vectors, in camera space.
      lights: The lights of the batch.

    Returns:
      `[batch, points, 1]` factors in [0, 1] of display colours: 1 where the surface
      faces the lamp, if there is no fill light.
    """
    facing = tf.nn.relu(tf.matmul(normals, lights.direction[..., None]))
    if lights.fill_direction is not None and lights.fill is not None:
        fill = lights.fill[:, None, None]
        from_fill = tf.nn.relu(tf.matmul(normals, lights.fill_direction[..., None]))
        facing = (facing + fill * from_fill) / (1.0 + fill)
    ambient = lights.ambient[:, None, None]
    return (ambient + (1.0 - ambient) * facing) ** (1.0 / _GAMMA)
