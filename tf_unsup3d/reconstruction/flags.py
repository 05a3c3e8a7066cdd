"""Flags: whether a fit explains its picture, judged by the fits of held-out samples."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from tf_unsup3d.errors import UserError

# What is measured of each fit, and what it says of a picture to be above the limit.
MEASURES = {
    "error": "the fit differs from the picture",
    "unexplained": "the fit does not follow the picture",
    "style_distance": "the object is unlike those of the generator",
    "faintness": "the object hardly differs from its background",
}
# A limit is this quantile of what held-out samples show, times the margin.
_QUANTILE = 0.98
_MARGIN = 1.2
# Smaller mean differences of colours, from 0 to 1, count as this, to divide by them.
_LEAST_CONTRAST = 0.005


@dataclasses.dataclass(frozen=True)
class Flag:
    """A measure of a fit that is above its limit.

    Attributes:
      measure: Name of the measure, one of `MEASURES`.
      value: Its value.
      limit: Its limit.
    """

    measure: str
    value: float
    limit: float

    def __str__(self) -> str:
        return (
            f"{MEASURES[self.measure]}: {self.measure} {self.value:.3g} is above "
            f"{self.limit:.3g}"
        )


def measure_fits(
    pictures: np.ndarray, fits: np.ndarray, backdrops: np.ndarray, codes: np.ndarray
) -> dict[str, np.ndarray]:
    """Measures how well fits explain pictures.

    Args:
      pictures: `[pictures, size, size, 3]` in [-1, 1].
      fits: `[pictures, size, size, 3]` in [-1, 1].
      backdrops: `[pictures, size, size, 3]` in [-1, 1], the fits without the objects.
      codes: `[pictures, style_size]`; see `StyleDistribution`.

    Returns:
      `[pictures]` by these names:
        error: Mean absolute difference of the colours, from 0 to 1.
        unexplained: The same, relative to the mean absolute difference of the picture
          from its mean colour: 1 is what a uniform picture would reach.
        style_distance: Root mean square of the codes, 1 for a random object.
        faintness: Reciprocal of the mean absolute difference that the object makes to
          the colours of its background.
    """
    error = 0.5 * np.abs(fits - pictures).mean((1, 2, 3))
    mean = pictures.mean((1, 2), keepdims=True)
    contrast = 0.5 * np.abs(pictures - mean).mean((1, 2, 3))
    effect = 0.5 * np.abs(fits - backdrops).mean((1, 2, 3))
    return {
        "error": error,
        "unexplained": error / np.maximum(contrast, _LEAST_CONTRAST),
        "style_distance": np.sqrt(np.square(codes).mean(-1)),
        "faintness": 1.0 / np.maximum(effect, _LEAST_CONTRAST),
    }


def limits_of(measures: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Computes the limits of what fits of held-out samples show.

    Args:
      measures: See `measure_fits`.

    Returns:
      The limit of each measure.
    """
    return {
        name: _MARGIN * float(np.quantile(values, _QUANTILE))
        for name, values in measures.items()
    }


def limits_on_card(card: Mapping[str, Any], steps: int) -> dict[str, float]:
    """Finds the limits for a number of steps on the card of an encoder.

    Args:
      card: The card, which holds limits for some numbers of steps.
      steps: Number of steps of the fits.

    Returns:
      The limits for the largest of these numbers that is not above `steps`.

    Raises:
      UserError: The card holds no such limits.
    """
    try:
        found = {int(count): values for count, values in card["limits"].items()}
        limits = found[max(count for count in found if count <= steps)]
        return {name: float(limits[name]) for name in MEASURES}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            "the card of the encoder holds no limits; train an encoder anew with "
            "unsup3d-train-encoder"
        ) from error


def raise_flags(
    measures: Mapping[str, np.ndarray], limits: Mapping[str, float]
) -> list[tuple[Flag, ...]]:
    """Compares measures with their limits.

    Args:
      measures: See `measure_fits`.
      limits: The limit of each measure.

    Returns:
      The flags of each picture; none for a picture that is explained.
    """
    rows = zip(*(measures[name] for name in MEASURES), strict=True)
    return [
        tuple(
            Flag(name, float(value), limits[name])
            for name, value in zip(MEASURES, row, strict=True)
            if not value <= limits[name]
        )
        for row in rows
    ]
