"""Smooth random patterns, soft edges and mixtures of colours."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike


def soft_edge(distance: np.ndarray, width: float) -> np.ndarray:
    """Converts signed distances from an edge to weights.

    Args:
      distance: [...] distance from the edge, positive inside.
      width: Approximate width of the transition, in the unit of `distance`.

    Returns:
      [...] weights, 0 far outside and 1 far inside.
    """
    return 1.0 / (1.0 + np.exp(np.clip(-4.0 / width * distance, -60.0, 60.0)))


def to_linear(colour: ArrayLike) -> np.ndarray:
    """Converts sRGB to linear light, approximately (by a power of 2.2).

    Args:
      colour: [...] sRGB values in [0, 1].

    Returns:
      [...] float32 values in linear light.
    """
    return np.asarray(colour, np.float32) ** 2.2


def colour_planes(colour: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Reshapes a colour so that it broadcasts against weights.

    Args:
      colour: [3] colour.
      like: [...] weights.

    Returns:
      [3, 1, ...] float32, with one dimension for each one of `like`.
    """
    return np.reshape(np.asarray(colour, np.float32), (3,) + (1,) * like.ndim)


def mix(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mixes two colours linearly; channels come first.

    Args:
      first: [3] or [3, ...] colour where the weight is 0.
      second: [3] or [3, ...] colour where the weight is 1.
      weight: [...] weights in [0, 1].

    Returns:
      [3, ...] mixed colours.
    """
    if np.ndim(first) == 1:
        first = colour_planes(first, weight)
    if np.ndim(second) == 1:
        second = colour_planes(second, weight)
    return first + (second - first) * weight


@dataclasses.dataclass(frozen=True, eq=False)
class Waves:
    """Smooth noise without a grid: a sum of plane waves in random directions.

    Attributes:
      frequencies: [waves, 3] float32 angular frequencies in radians per unit of length.
      phases: [waves] float32 phases in radians.
    """

    frequencies: np.ndarray
    phases: np.ndarray

    @classmethod
    def sample(
        cls, rng: np.random.Generator, count: int, scales: tuple[float, float, float]
    ) -> "Waves":
        """Draws random waves.

        Args:
          rng: Random number generator, the only source of randomness.
          count: Number of waves.
          scales: Standard deviation of the angular frequency along each axis.
        """
        return cls(
            (rng.normal(size=(count, 3)) * scales).astype(np.float32),
            rng.uniform(0.0, 2.0 * np.pi, count).astype(np.float32),
        )

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Evaluates the noise.

        Args:
          points: [..., 3] positions.

        Returns:
          [...] values of mean 0 and variance 1.
        """
        angles = points @ self.frequencies.T + self.phases
        return np.cos(angles).sum(-1) * np.float32(np.sqrt(2.0 / len(self.phases)))


def smooth_step(values: np.ndarray, start: float, end: float) -> np.ndarray:
    """Rises smoothly from 0 at `start` to 1 at `end`.

    Args:
      values: [...] positions.
      start: Position from which the result differs from 0.
      end: Position from which the result is 1; may be less than `start`.

    Returns:
      [...] weights in [0, 1].
    """
    position = np.clip((values - start) / (end - start), 0.0, 1.0)
    return position * position * (3.0 - 2.0 * position)
