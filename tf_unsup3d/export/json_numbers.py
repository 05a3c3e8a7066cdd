"""Numbers of reports as JSON has them."""

import math


def without_nan(value: object) -> object:
    """Replaces numbers that are not finite, which JSON does not have.

    Args:
      value: Numbers, strings and the like, in dictionaries, lists and tuples of any
        depth.

    Returns:
      The same with None, which JSON writes as null, where a number is NaN or infinite.
      Tuples become lists.
    """
    if isinstance(value, dict):
        return {key: without_nan(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
