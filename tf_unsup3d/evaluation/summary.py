"""Means over pictures or objects, some of which could not be measured."""

import numpy as np


def summarize(values: dict[str, np.ndarray]) -> dict[str, float]:
    """Computes the mean and the standard deviation of measures.

    Args:
      values: `[items]` by the names of the measures, NaN where an item could not be
        measured.

    Returns:
      The mean `NAME` and the standard deviation `NAME_std` of each measure, over the
      items that have a value. Where none has, both are NaN.
    """
    summary = {}
    for name, value in values.items():
        measured = value[np.isfinite(value)]
        if not measured.size:
            measured = np.array([np.nan])
        summary[name] = float(measured.mean())
        summary[f"{name}_std"] = float(measured.std())
    return summary
