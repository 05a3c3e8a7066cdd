"""Learning rates that fall as training goes on."""

import abc
import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class RateDecay(abc.ABC):
    """A factor on both learning rates, as a function of the number of pictures seen.

    Attributes:
      start: Number of pictures seen before the rates begin to fall.
      pictures: Number of pictures over which they fall.
      final: The factor from then on, in [0, 1].
    """

    start: int = 0
    pictures: int = 100_000
    final: float = 0.0

    def __post_init__(self) -> None:
        if self.start < 0:
            raise ValueError(f"start must not be negative, got {self.start}")
        if self.pictures < 1:
            raise ValueError(f"pictures must be positive, got {self.pictures}")
        if not 0.0 <= self.final <= 1.0:
            raise ValueError(f"final must be from 0 to 1, got {self.final}")

    def factor(self, seen: int) -> float:
        """Returns the factor after a number of pictures."""
        progress = min(max(seen - self.start, 0) / self.pictures, 1.0)
        return self.final + (1.0 - self.final) * self._remaining(progress)

    @abc.abstractmethod
    def _remaining(self, progress: float) -> float:
        """What remains, from 1 at the start (0) to 0 at the end (1)."""


@dataclasses.dataclass(frozen=True)
class LinearDecay(RateDecay):
    """Learning rates that fall along a straight line; see `RateDecay`."""

    def _remaining(self, progress: float) -> float:
        return 1.0 - progress


@dataclasses.dataclass(frozen=True)
class CosineDecay(RateDecay):
    """Learning rates that fall along half a cosine wave; see `RateDecay`.

    They change slowly at both ends (Loshchilov and Hutter 2017).
    """

    def _remaining(self, progress: float) -> float:
        return 0.5 + 0.5 * math.cos(math.pi * progress)
