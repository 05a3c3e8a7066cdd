"""Everything that makes one picture, drawn from a random number generator."""

import dataclasses

import numpy as np

from tf_unsup3d.heads.appearance import Appearance
from tf_unsup3d.heads.hair import Hairstyle
from tf_unsup3d.heads.lighting import Lighting
from tf_unsup3d.heads.model import ASYMMETRY_PREFIX, HeadModel
from tf_unsup3d.heads.patterns import Waves

# Coefficients beyond this many deviations make caricatures.
_LARGEST_COEFFICIENT = 2.0


@dataclasses.dataclass(frozen=True)
class HeadScene:
    """One head, its light, its background and the view of it.

    Attributes:
      shape: [coefficients] of the head model.
      hairstyle: volume of the hair.
      appearance: colours.
      lighting: light.
      background_seed: of the generator that draws the background.
      viewpoint: [3] (yaw, pitch, roll) in radians, see `geometry.viewpoints`.
    """

    shape: np.ndarray
    hairstyle: Hairstyle
    appearance: Appearance
    lighting: Lighting
    background_seed: int
    viewpoint: np.ndarray

    def vertices(self, model: HeadModel) -> np.ndarray:
        """The surface with its hair, not yet turned: [vertices, 3] float32."""
        return model.vertices(self.shape, self.hairstyle).astype(np.float32)


def sample_scene(
    model: HeadModel,
    rng: np.random.Generator,
    *,
    yaw_range: float = 60.0,
    pitch_range: float = 15.0,
    symmetric: bool = False,
) -> HeadScene:
    """Draws a head and a view of it.

    Args:
      model: of head shape.
      rng: the only source of chance.
      yaw_range: yaw is drawn evenly from -yaw_range to yaw_range, in degrees.
      pitch_range: likewise.
      symmetric: whether the left and right of the head are alike.

    Returns:
      The scene.
    """
    limits = np.radians([yaw_range, pitch_range, 0.0])
    viewpoint = limits * rng.uniform(-1.0, 1.0, 3)
    shape = rng.normal(size=len(model.names))
    shape = np.clip(shape, -_LARGEST_COEFFICIENT, _LARGEST_COEFFICIENT)
    hairstyle = Hairstyle.sample(rng)
    if symmetric:
        lopsided = [name.startswith(ASYMMETRY_PREFIX) for name in model.names]
        shape = np.where(lopsided, 0.0, shape)
        hairstyle = dataclasses.replace(
            hairstyle, part=0.0, raggedness=0.0, waviness=0.0
        )
    return HeadScene(
        shape=shape.astype(np.float32),
        hairstyle=hairstyle,
        appearance=Appearance.sample(rng),
        lighting=Lighting.sample(rng),
        background_seed=int(rng.integers(2**31)),
        viewpoint=viewpoint.astype(np.float32),
    )


def coefficients(scene: HeadScene, model: HeadModel) -> dict[str, float]:
    """Every number that describes a scene but for its viewpoint, by name.

    Args:
      scene: the scene.
      model: the head model it was drawn from.

    Returns:
      Numbers named `shape/...`, `hair/...`, `appearance/...`, `lighting/...`; colours
      have one for each channel. Noise patterns are left out.
    """
    numbers = {
        f"shape/{name}": float(value)
        for name, value in zip(model.names, scene.shape, strict=True)
    }
    parts = {
        "hair": scene.hairstyle,
        "appearance": scene.appearance,
        "lighting": scene.lighting,
    }
    for part, holder in parts.items():
        for field in dataclasses.fields(holder):
            value = getattr(holder, field.name)
            if isinstance(value, Waves):
                continue
            if np.ndim(value) == 0:
                numbers[f"{part}/{field.name}"] = float(value)
            else:
                for channel, number in enumerate(value):
                    numbers[f"{part}/{field.name}_{channel}"] = float(number)
    return numbers
