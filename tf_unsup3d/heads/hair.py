"""Hair: where it grows, and the volume that it adds to the head."""

import dataclasses

import numpy as np

from tf_unsup3d.heads.patterns import Waves, smooth_step, soft_edge

# Angles about the vertical axis at which the hairline is given, from the face (0) to
# the back of the head (180 degrees): forehead, corner of the forehead, temple, in front
# of the ear, above the ear, behind the ear, nape, back.
_HAIRLINE_ANGLES = np.radians([0.0, 36.0, 60.0, 78.0, 100.0, 125.0, 150.0, 180.0])
# Angles at which the smoothed hairline is tabulated.
_TABLE = np.linspace(0.0, np.pi, 181)


def along_strands(coordinates: np.ndarray) -> np.ndarray:
    """Maps points so that strands of hair, which start at the crown, run along y.

    Args:
      coordinates: [..., 3] face coordinates.

    Returns:
      [..., 3]: y is unchanged; x and z are the direction of the point from the vertical
      axis through the crown.
    """
    x, y, z = np.moveaxis(coordinates, -1, 0)
    # The strands are slightly wavy.
    x, z = x + 0.03 * np.sin(9.0 * y + 3.0 * z), z - 0.1
    distance = np.sqrt(x * x + z * z) + 0.02
    return np.stack([x / distance, y, z / distance], -1)


@dataclasses.dataclass(frozen=True)
class Hairstyle:
    """Hairline, length and volume of hair.

    Lengths and y coordinates are in face coordinates (see `landmarks.py`).

    Attributes:
      amount: 1 for a head with hair, 0 for a bald head.
      fringe: The y coordinate of the hairline at the middle of the forehead.
      overhang: How far hair may hang over the forehead from a scalp that the head model
        knows.
      corner: The y coordinate of the hairline at the corners of the forehead.
      length_front: The y coordinate at which the hair in front of the ears ends.
      length_sides: The y coordinate at which the hair over the ears ends.
      length_back: The y coordinate at which the hair at the back ends.
      volume_top: Thickness of the hair on the crown.
      volume_sides: Thickness of the hair on the sides.
      fall: Additional thickness of hair that hangs beside the neck.
      part: Slope of the hairline across the forehead, which lowers it on one side and
        raises it on the other.
      raggedness: How much the ends of locks differ in height.
      waviness: Depth of the waves relative to the thickness of the hair.
      waves: Pattern of the waves and of the ends of locks.
    """

    amount: float
    fringe: float
    overhang: float
    corner: float
    length_front: float
    length_sides: float
    length_back: float
    volume_top: float
    volume_sides: float
    fall: float
    part: float
    raggedness: float
    waviness: float
    waves: Waves

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Hairstyle":
        """Draws a random style: bald, short, medium, long, or a round crown of hair.

        Args:
          rng: Random number generator, the only source of randomness.
        """
        kind = rng.choice(5, p=[0.07, 0.38, 0.2, 0.25, 0.1])
        bald, medium, long, crown = (kind == k for k in (0, 2, 3, 4))
        uniform = rng.uniform
        fringe = uniform(-0.46, -0.34)
        overhang = 0.0
        if rng.uniform() < 0.3:
            fringe, overhang = uniform(-0.30, -0.15), 0.5
        length_front = uniform(-0.12, 0.12)
        length_sides = uniform(-0.12, -0.04)
        length_back = uniform(0.25, 0.42)
        if medium:
            length_front, length_sides = uniform(0.0, 0.3), uniform(0.15, 0.42)
            length_back = uniform(0.4, 0.55)
        if long:
            length_front, length_sides = uniform(0.3, 0.6), uniform(0.52, 0.70)
            length_back = uniform(0.60, 0.72)
        volume_top, volume_sides = uniform(0.03, 0.11), uniform(0.015, 0.06)
        if crown:
            volume_top, volume_sides = uniform(0.10, 0.16), uniform(0.07, 0.13)
        if medium or long:
            volume_sides = uniform(0.04, 0.10)
        waviness = uniform(0.05, 0.25)
        return cls(
            amount=0.0 if bald else 1.0,
            fringe=fringe,
            overhang=overhang,
            corner=fringe + uniform(-0.04, 0.08),
            length_front=length_front,
            length_sides=length_sides,
            length_back=length_back,
            volume_top=volume_top,
            volume_sides=volume_sides,
            fall=uniform(0.06, 0.17) if long else uniform(0.0, 0.06),
            part=rng.normal() * 0.15,
            raggedness=uniform(0.004, 0.016),
            waviness=waviness,
            waves=Waves.sample(rng, 6, (9.0, 5.0, 9.0)),
        )

    def _hairline(self) -> np.ndarray:
        """Returns the y coordinates of the hairline at the angles of `_TABLE`."""
        knots = [
            self.fringe,
            self.corner,
            0.5 * self.corner + 0.5 * min(self.length_front, 0.0),
            self.length_front,
            self.length_sides,
            max(self.length_sides, 0.5 * (self.length_sides + self.length_back)),
            self.length_back,
            self.length_back,
        ]
        line = np.interp(_TABLE, _HAIRLINE_ANGLES, knots)
        kernel = np.hanning(19)
        padded = np.pad(line, 9, mode="reflect")
        return np.convolve(padded, kernel / kernel.sum(), mode="valid")

    def inside(
        self, coordinates: np.ndarray, scalp: np.ndarray | None = None
    ) -> np.ndarray:
        """Computes the signed distance from the hairline, positive where there is hair.

        Args:
          coordinates: [..., 3] face coordinates.
          scalp: [...] weights in [0, 1] of the region in which hair may grow, or None
            if the head model does not know it.

        Returns:
          [...] float32, approximately the distance along the surface; -1 everywhere on
          a bald head.
        """
        x, y, z = np.moveaxis(coordinates, -1, 0)
        if not self.amount:
            return np.full_like(x, -1.0)
        angle = np.arctan2(np.abs(x), -z)
        line = self._hairline()
        slope = np.gradient(line, 0.45 * _TABLE)
        height = np.interp(angle, _TABLE, line) + self.part * x * (z < 0.0)
        steepness = np.interp(angle, _TABLE, slope)
        # The locks end at different heights.
        height = height + self.raggedness * self.waves(4.0 * along_strands(coordinates))
        inside = (height - y) / np.sqrt(1.0 + steepness**2)
        if scalp is not None:
            # Only at forehead and temples; further back, hair covers ears and neck.
            front = smooth_step(angle, np.radians(75.0), np.radians(50.0))
            beyond = inside - 0.25 * (scalp - 0.35) - self.overhang
            inside = inside - front * np.maximum(beyond, 0.0)
        return inside.astype(np.float32)

    def volume(
        self, coordinates: np.ndarray, scalp: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Computes where hair covers the surface, and how far it moves the surface.

        Args:
          coordinates: [vertices, 3] face coordinates.
          scalp: [vertices] weights of the region in which hair may grow; see `inside`.

        Returns:
          The cover, [vertices] in [0, 1], and the displacement, [vertices, 3] in face
          coordinates.
        """
        x, y, z = np.moveaxis(coordinates, -1, 0)
        inside = self.inside(coordinates, scalp)
        cover = soft_edge(inside - 0.02, 0.06)
        top = smooth_step(y, -0.15, -0.5)
        thickness = self.volume_sides + (self.volume_top - self.volume_sides) * top
        behind_face = smooth_step(z, -0.15, 0.05)
        hanging = smooth_step(y, 0.12, 0.5) * behind_face
        thickness = thickness + self.fall * hanging
        thickness = thickness * (1.0 + self.waviness * self.waves(coordinates))
        # The hair is thinner towards its ends.
        thickness = thickness * (0.35 + 0.65 * smooth_step(inside, 0.0, 0.2))
        # Hair lies on the skull and hangs straight down below it.
        direction = np.stack([x, np.minimum(y + 0.1, 0.0), z - 0.05], -1)
        direction /= np.maximum(np.linalg.norm(direction, axis=-1, keepdims=True), 1e-6)
        return cover, (np.maximum(thickness, 0.0) * cover)[..., None] * direction
