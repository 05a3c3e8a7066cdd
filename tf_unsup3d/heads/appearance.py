"""Colours of skin, hair, eyes and clothing."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from tf_unsup3d.heads.hair import Hairstyle, along_strands
from tf_unsup3d.heads.patterns import (
    Waves,
    colour_planes,
    mix,
    smooth_step,
    soft_edge,
    to_linear,
)
from tf_unsup3d.heads.regions import face_regions

# sRGB colours. Skin tones are ordered from light to dark.
_SKIN_TONES = np.array(
    [
        (249, 222, 204),
        (239, 198, 172),
        (222, 173, 140),
        (196, 140, 105),
        (155, 103, 74),
        (109, 70, 51),
        (72, 47, 37),
    ]
)
_HAIR_COLOURS = np.array(
    [
        (22, 18, 18),
        (40, 28, 23),
        (78, 52, 36),
        (112, 56, 32),
        (150, 112, 74),
        (206, 170, 116),
        (146, 144, 142),
        (205, 203, 200),
    ]
)
_HAIR_ODDS = np.array([0.22, 0.22, 0.2, 0.08, 0.1, 0.08, 0.06, 0.04])
_IRIS_COLOURS = np.array(
    [(62, 38, 24), (92, 60, 34), (112, 100, 60), (84, 112, 92), (92, 126, 158)]
)
_IRIS_ODDS = np.array([0.42, 0.22, 0.12, 0.1, 0.14])


def _palette(colours: np.ndarray, position: float) -> np.ndarray:
    """Interpolates a list of colours; returns [3] sRGB in [0, 1]."""
    lower = int(np.clip(np.floor(position), 0, len(colours) - 2))
    share = position - lower
    return (colours[lower] * (1.0 - share) + colours[lower + 1] * share) / 255.0


@dataclasses.dataclass(frozen=True)
class Appearance:
    """Colours and painted detail of one head.

    Colours are [3] float32 in linear light; positions are face coordinates (see
    `landmarks.py`).

    Attributes:
      skin: Colour of the skin.
      lips: Colour of the lips.
      hair: Colour of the hair.
      brow: Colour of the eyebrows and the beard.
      iris: Colour of the irises.
      clothing: Colour of the clothing around the neck.
      blush: Strength of the blush on cheeks and nose, 0 to 1.
      beard: Density of the beard, 0 to 1.
      collar: The y coordinate below which the neck is clothed; lies beyond the neck if
        there is no clothing.
      openness: How far the eyes are open; see `face_regions`.
      gaze_x: Horizontal offset of the irises; see `face_regions`.
      gaze_y: Vertical offset of the irises; see `face_regions`.
      brow_thickness: Thickness of the eyebrows; see `face_regions`.
      brow_arch: Arch of the eyebrows; see `face_regions`.
      mottle: Brightness pattern of the skin.
      strands: Brightness pattern of the hair.
    """

    skin: np.ndarray
    lips: np.ndarray
    hair: np.ndarray
    brow: np.ndarray
    iris: np.ndarray
    clothing: np.ndarray
    blush: float
    beard: float
    collar: float
    openness: float
    gaze_x: float
    gaze_y: float
    brow_thickness: float
    brow_arch: float
    mottle: Waves
    strands: Waves

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Appearance":
        """Draws a random appearance, in which darker skin favours darker hair and eyes.

        Args:
          rng: Random number generator, the only source of randomness.
        """
        tone = rng.uniform(0.0, len(_SKIN_TONES) - 1.0)
        skin = _palette(_SKIN_TONES, tone) * (1.0 + rng.normal(0.0, 0.025, 3))
        darkness = tone / (len(_SKIN_TONES) - 1.0)
        fair = np.exp(-3.0 * darkness * np.array([0, 0, 0.5, 1, 1, 1.6, 0, 0]))
        odds = _HAIR_ODDS * fair
        hair = _HAIR_COLOURS[rng.choice(len(odds), p=odds / odds.sum())] / 255.0
        hair = hair * np.exp(rng.normal(0.0, 0.12)) * (1.0 + rng.normal(0, 0.04, 3))
        odds = _IRIS_ODDS * np.exp(-4.0 * darkness * np.array([0, 0.3, 1, 1, 1]))
        iris = _IRIS_COLOURS[rng.choice(len(odds), p=odds / odds.sum())] / 255.0
        rosy = np.array([0.78, 0.36, 0.36]) * (0.45 + 0.55 * skin[0])
        lips = skin * 0.35 + rosy * 0.65
        beard = rng.uniform(0.2, 0.95) if rng.uniform() < 0.22 else 0.0
        if not beard and rng.uniform() < 0.12:
            lips = np.array([0.68, 0.16, 0.2]) * rng.uniform(0.6, 1.1)
        clip = lambda colour: to_linear(np.clip(colour, 0.01, 1.0))  # noqa: E731
        return cls(
            skin=clip(skin),
            lips=clip(lips * (1.0 + rng.normal(0.0, 0.03, 3))),
            hair=clip(hair),
            brow=clip(0.65 * hair + 0.12 * skin),
            iris=clip(iris * np.exp(rng.normal(0.0, 0.15))),
            clothing=clip(rng.uniform(0.05, 0.9) * rng.dirichlet((6, 6, 6)) * 2.2),
            blush=rng.uniform(0.0, 0.8),
            beard=beard,
            collar=rng.uniform(0.66, 0.75) if rng.uniform() < 0.6 else 2.0,
            openness=rng.uniform(0.75, 1.15),
            gaze_x=rng.normal() * 0.008,
            gaze_y=rng.normal() * 0.003,
            brow_thickness=rng.uniform(0.010, 0.020),
            brow_arch=rng.uniform(0.004, 0.030),
            mottle=Waves.sample(rng, 6, (14.0, 14.0, 14.0)),
            strands=Waves.sample(rng, 12, (32.0, 5.0, 32.0)),
        )

    def colours(
        self,
        coordinates: np.ndarray,
        hairstyle: Hairstyle,
        known: Mapping[str, np.ndarray],
    ) -> np.ndarray:
        """Computes the reflectance of points on the surface.

        Args:
          coordinates: [points, 3] face coordinates.
          hairstyle: Hairstyle of the head.
          known: Weights, [points] each in [0, 1], of the regions that the head model
            knows, by name.

        Returns:
          [points, 3] float32 in linear light.
        """
        region = face_regions(
            coordinates,
            openness=self.openness,
            gaze=(self.gaze_x, self.gaze_y),
            brow_thickness=self.brow_thickness,
            brow_arch=self.brow_arch,
            known=known,
        )
        red = self.skin * np.array([1.0, 0.66, 0.64], np.float32)
        colour = mix(self.skin, red, np.minimum(self.blush * region["blush"], 1.0))
        colour = mix(colour, red, 0.5 * region["ear"])
        colour = mix(colour, 0.72 * self.skin, 0.5 * region["lid"])
        colour = colour * (1.0 + 0.035 * self.mottle(coordinates))
        stubble = self.beard * region["beard"]
        strands = 1.0 + 0.16 * self.strands(along_strands(coordinates))
        colour = mix(colour, colour_planes(self.brow, strands) * strands, stubble)
        colour = mix(colour, self.lips, 0.9 * region["lips"])
        colour = mix(colour, 0.25 * self.lips, 0.85 * region["parting"])
        colour = mix(colour, 0.2 * self.skin, 0.8 * region["nostril"])
        colour = mix(colour, self.brow, 0.9 * region["brow"])
        white = to_linear((0.80, 0.77, 0.75)) * (0.4 + 0.6 * self.skin[0])
        colour = mix(colour, white, region["eye"])
        colour = mix(colour, self.iris, region["iris"])
        colour = mix(colour, to_linear((0.04, 0.03, 0.03)), region["pupil"])
        colour = mix(colour, 0.2 * self.brow, 0.8 * region["lash"])
        y = coordinates[..., 1]
        clothed = soft_edge(y - self.collar - 0.15 * coordinates[..., 2], 0.02)
        colour = mix(colour, self.clothing, clothed)
        colour = colour * (1.0 - region["shade"])
        inside = hairstyle.inside(coordinates, known.get("hair"))
        # The hair is darker near its roots.
        depth = 0.65 + 0.35 * smooth_step(inside, 0.0, 0.12)
        hair = colour_planes(self.hair, depth) * np.maximum(strands, 0.3) * depth
        colour = mix(colour, hair, soft_edge(inside, 0.035))
        colour = mix(colour, np.ones(3, np.float32), 0.9 * region["glint"])
        return np.clip(colour, 0.0, 1.0).astype(np.float32).T
