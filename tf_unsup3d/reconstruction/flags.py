"""Flags: whether a fit explains its picture, judged by the fits of other pictures."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tf_unsup3d.errors import UserError

# What is measured of each fit, and what it says of a picture to be above the limit.
MEASURES = {
    "error": "the fit differs from the picture",
    "unexplained": "the fit does not follow the picture",
    "mismatch": "the object has other features than the picture",
    "style_distance": "the object is unlike those of the generator",
    "faintness": "the object hardly differs from its background",
}
# A limit is this quantile of what other pictures show, times the margin.
_QUANTILE = 0.98
_MARGIN = 1.15
# Smaller mean differences of colours, from 0 to 1, count as this, to divide by them.
_LEAST_CONTRAST = 0.005
# Features are what differs from the mean of a window of this part of the picture.
_WINDOW = 1 / 8


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
    pictures: np.ndarray,
    fits: np.ndarray,
    masks: np.ndarray,
    backdrops: np.ndarray,
    codes: np.ndarray,
) -> dict[str, np.ndarray]:
    """Measures how well fits explain pictures.

    Args:
      pictures: `[pictures, size, size, 3]` in [-1, 1].
      fits: `[pictures, size, size, 3]` in [-1, 1].
      masks: `[pictures, size, size, 1]` in [0, 1], the part of each pixel of the fits
        that shows the object.
      backdrops: `[pictures, size, size, 3]` in [-1, 1], the fits without the objects.
      codes: `[pictures, style_size]`; see `StyleDistribution`.

    Returns:
      `[pictures]` by these names:
        error: Mean absolute difference of the colours, from 0 to 1.
        unexplained: The same, relative to the mean absolute difference of the picture
          from its mean colour: 1 is what a uniform picture would reach.
        mismatch: 1 less the correlation between picture and fit, within the object, of
          the difference between the brightness of a pixel and the mean around it.
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
        "mismatch": _mismatch(pictures, fits, masks),
        "style_distance": np.sqrt(np.square(codes).mean(-1)),
        "faintness": 1.0 / np.maximum(effect, _LEAST_CONTRAST),
    }


def _mismatch(pictures: np.ndarray, fits: np.ndarray, masks: np.ndarray) -> np.ndarray:
    seen, fitted = _features(pictures), _features(fits)

    def product(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return (masks * first * second).mean((1, 2, 3))

    size = np.sqrt(product(seen, seen) * product(fitted, fitted))
    return 1.0 - product(seen, fitted) / np.maximum(size, _LEAST_CONTRAST**2)


def _features(pictures: np.ndarray) -> np.ndarray:
    """Brightness less its mean around each pixel, `[pictures, size, size, 1]`."""
    brightness = pictures.mean(-1, keepdims=True)
    window = 2 * max(1, round(0.5 * _WINDOW * pictures.shape[1])) + 1
    # At the border, only what lies inside the picture counts.
    return brightness - tf.nn.avg_pool2d(brightness, window, 1, "SAME").numpy()


def limits_of(measures: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Computes limits of what fits of pictures show.

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
    """Finds the limits for a number of steps from those on the card of an encoder.

    Between the numbers of steps that the card has limits for, they are interpolated
    linearly in the logarithm of 1 + steps, from which measured limits differ little.

    Args:
      card: The card, which holds limits for some numbers of steps.
      steps: Number of steps of the fits.

    Returns:
      The limit of each measure. Beyond the card's numbers of steps it is that for the
      nearest one.

    Raises:
      UserError: The card holds no such limits.
    """
    try:
        found = sorted((int(count), value) for count, value in card["limits"].items())
        places = np.log1p([count for count, _ in found])
        return {
            name: float(
                np.interp(np.log1p(steps), places, [value[name] for _, value in found])
            )
            for name in MEASURES
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            "the card of the encoder does not hold all limits; find them with "
            "unsup3d-train-encoder --limits_only"
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
