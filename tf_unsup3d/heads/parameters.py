"""The parameters of one picture of a head, drawn at random."""

import dataclasses

import numpy as np
import scipy.stats

from tf_unsup3d.heads.appearance import Appearance
from tf_unsup3d.heads.hair import Hairstyle
from tf_unsup3d.heads.lighting import Lighting
from tf_unsup3d.heads.model import HeadModel
from tf_unsup3d.heads.patterns import Waves

# Larger coefficients, in standard deviations, produce caricatures.
_LARGEST_COEFFICIENT = 2.0
# Standard deviations of yaw, pitch and roll in degrees, as portraits have them.
_PORTRAIT_DEVIATIONS = (20.0, 8.0, 2.0)


@dataclasses.dataclass(frozen=True)
class HeadParameters:
    """Everything that one picture of a head depends on, except the head model.

    Attributes:
      shape: [coefficients] float32 coefficients of the head model.
      hairstyle: Where hair grows, and its volume.
      appearance: Colours and painted detail.
      lighting: Light that falls on the head.
      background_seed: Seed of the background.
      viewpoint: [3] float32 (yaw, pitch, roll) in radians; see `geometry.viewpoints`.
      scale: Factor by which the turned head is enlarged about the origin.
      offset: [3] float32, how far the turned and enlarged head is then moved.
    """

    shape: np.ndarray
    hairstyle: Hairstyle
    appearance: Appearance
    lighting: Lighting
    background_seed: int
    viewpoint: np.ndarray
    scale: float = 1.0
    offset: np.ndarray = dataclasses.field(
        default_factory=lambda: np.zeros(3, np.float32)
    )

    def vertices(self, model: HeadModel) -> np.ndarray:
        """Computes the surface of the head with its hair, not yet turned.

        Args:
          model: The model that the head was drawn from.

        Returns:
          [vertices, 3] float32.
        """
        return model.vertices(self.shape, self.hairstyle).astype(np.float32)


def sample_head(
    model: HeadModel,
    rng: np.random.Generator,
    *,
    yaw_range: float = 60.0,
    pitch_range: float = 15.0,
    portrait: bool = False,
) -> HeadParameters:
    """Draws a random head, its light and background, and a view of it.

    Args:
      model: The head model.
      rng: Random number generator, the only source of randomness.
      yaw_range: Largest yaw in degrees; yaw is distributed over
        [-yaw_range, yaw_range]. 0 means that heads do not turn.
      pitch_range: Largest pitch in degrees; pitch is distributed over
        [-pitch_range, pitch_range]. 0 means that heads do not nod.
      portrait: Whether viewpoints and light are those of portraits: normally
        distributed angles, with deviations of 20, 8 and 2 degrees, and light that may
        come from two sides or from everywhere. Otherwise the angles are uniformly
        distributed, without roll, and there is one lamp.

    Returns:
      The parameters of the picture.
    """
    if portrait:
        viewpoint = _portrait_viewpoint(rng, yaw_range, pitch_range)
    else:
        limits = np.radians([yaw_range, pitch_range, 0.0])
        viewpoint = limits * rng.uniform(-1.0, 1.0, 3)
    shape = rng.normal(size=len(model.names))
    shape = np.clip(shape, -_LARGEST_COEFFICIENT, _LARGEST_COEFFICIENT)
    return HeadParameters(
        shape=shape.astype(np.float32),
        hairstyle=Hairstyle.sample(rng),
        appearance=Appearance.sample(rng),
        lighting=Lighting.sample_portrait(rng) if portrait else Lighting.sample(rng),
        background_seed=int(rng.integers(2**31)),
        viewpoint=viewpoint.astype(np.float32),
    )


def _portrait_viewpoint(
    rng: np.random.Generator, yaw_range: float, pitch_range: float
) -> np.ndarray:
    deviations = np.array(_PORTRAIT_DEVIATIONS)
    largest = np.array([yaw_range, pitch_range, 180.0]) / deviations
    # SciPy refuses an empty range, so any other stands for it meanwhile.
    varies = largest > 0.0
    bounds = np.where(varies, largest, 1.0)
    angles = deviations * scipy.stats.truncnorm.rvs(-bounds, bounds, random_state=rng)
    return np.radians(np.where(varies, angles, 0.0))


def coefficients(head: HeadParameters, model: HeadModel) -> dict[str, float]:
    """Lists the numbers that describe a head and its light.

    Args:
      head: The parameters of the picture.
      model: The head model that the head was drawn from.

    Returns:
      Numbers by name. The names begin with `shape/`, `hair/`, `appearance/` or
      `lighting/`; colours and directions have one number per component. Noise patterns,
      the background and the viewpoint are left out.
    """
    numbers = {
        f"shape/{name}": float(value)
        for name, value in zip(model.names, head.shape, strict=True)
    }
    parts: dict[str, Hairstyle | Appearance | Lighting] = {
        "hair": head.hairstyle,
        "appearance": head.appearance,
        "lighting": head.lighting,
    }
    for part, holder in parts.items():
        for field in dataclasses.fields(holder):
            value = getattr(holder, field.name)
            if isinstance(value, Waves):
                continue
            if np.ndim(value) == 0:
                numbers[f"{part}/{field.name}"] = float(value)
            else:
                for component, number in enumerate(value):
                    numbers[f"{part}/{field.name}_{component}"] = float(number)
    return numbers
