"""What a renderer has to offer to be measured."""

import abc
import dataclasses
from typing import Any

import numpy as np

from benchmarks.workload import Workload


class NotAvailable(Exception):
    """A renderer cannot run here; the message says what is missing."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What the user says about the renderers.

    Attributes:
      ptfrenderer: path of a checkout of pTFrenderer.
    """

    ptfrenderer: str | None = None


class Renderer(abc.ABC):
    """Draws workloads of `benchmarks.workloads`.

    Class attributes:
      title: name in tables.
      dtype: of its numbers.

    Raises:
      NotAvailable: by the constructor, if it cannot run here.
    """

    title: str
    dtype: type = np.float32

    def __init__(self, options: Options):
        """Imports what the renderer needs; little else may import it."""
        del options

    @abc.abstractmethod
    def load(self, workload: Workload) -> Any:
        """Brings a workload into the renderer's own form; not timed."""

    def weigh(self, weights: np.ndarray) -> Any:
        """Brings weights of pixels [batch, height, width, 3] into the own form."""
        return np.asarray(weights, self.dtype)

    @abc.abstractmethod
    def draw(self, loaded: Any) -> Any:
        """Draws [batch, height, width, 3], complete when it returns; timed."""

    def to_numpy(self, result: Any) -> np.ndarray:
        """A picture or a derivative as an array."""
        return np.asarray(result)


class DifferentiableRenderer(Renderer):
    """A renderer with gradients."""

    @abc.abstractmethod
    def move(self, loaded: Any, vertices: np.ndarray) -> Any:
        """The same workload with other vertices [batch, vertices, 3] of `dtype`."""

    @abc.abstractmethod
    def differentiate(self, loaded: Any, weights: Any) -> tuple[Any, Any]:
        """Draws, and differentiates `sum(weights * picture)`; timed.

        Returns:
          The derivatives by the vertices [batch, vertices, 3] and by the texture.
        """
