"""Smooth random patterns."""

import dataclasses

import numpy as np


def soft_edge(distance: np.ndarray, width: float) -> np.ndarray:
    """0 far outside (negative distance), 1 far inside, over about `width`."""
    return 1.0 / (1.0 + np.exp(np.clip(-4.0 / width * distance, -60.0, 60.0)))


def to_linear(colour) -> np.ndarray:
    """Colours from sRGB in [0, 1] to linear light (a plain power of 2.2)."""
    return np.asarray(colour, np.float32) ** 2.2


def colour_planes(colour: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A colour [3] as planes [3, 1, ...] that broadcast against weights [...]."""
    return np.reshape(np.asarray(colour, np.float32), (3,) + (1,) * like.ndim)


def mix(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Blends colours, channels first.

    Args:
      first: [3] or [3, ...], where the weight is 0.
      second: [3] or [3, ...], where the weight is 1.
      weight: [...].

    Returns:
      [3, ...].
    """
    if np.ndim(first) == 1:
        first = colour_planes(first, weight)
    if np.ndim(second) == 1:
        second = colour_planes(second, weight)
    return first + (second - first) * weight


@dataclasses.dataclass(frozen=True, eq=False)
class Waves:
    """A sum of plane waves in random directions: smooth noise without a grid.

    Attributes:
      frequencies: [waves, 3] radians for one unit of length.
      phases: [waves] radians.
    """

    frequencies: np.ndarray
    phases: np.ndarray

    @classmethod
    def sample(
        cls, rng: np.random.Generator, count: int, scales: tuple[float, float, float]
    ) -> "Waves":
        """Draws `count` waves with frequencies of about `scales` along each axis."""
        return cls(
            (rng.normal(size=(count, 3)) * scales).astype(np.float32),
            rng.uniform(0.0, 2.0 * np.pi, count).astype(np.float32),
        )

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """The noise at points [..., 3]: [...], of variance 1."""
        angles = points @ self.frequencies.T + self.phases
        return np.cos(angles).sum(-1) * np.float32(np.sqrt(2.0 / len(self.phases)))
