"""Reads the parameters of query strings."""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from starlette.datastructures import QueryParams

from tf_unsup3d.serving.request_error import bad_request

_MOST_DIGITS = 18


class _Number(NamedTuple):
    """A parameter that is a number."""

    default: float
    least: float
    greatest: float


_NUMBERS = {
    "truncation_psi": _Number(0.7, -2.0, 2.0),
    "yaw_degrees": _Number(0.0, -360.0, 360.0),
    "pitch_degrees": _Number(0.0, -360.0, 360.0),
    "roll_degrees": _Number(0.0, -360.0, 360.0),
}
ANGLES = ("yaw_degrees", "pitch_degrees", "roll_degrees")


def check_names(query: QueryParams, names: Sequence[str]) -> None:
    """Checks that each parameter is known and given once.

    Args:
      query: The query.
      names: The parameters that there are.

    Raises:
      RequestError: A parameter is unknown or given twice.
    """
    items = query.multi_items()
    for name, _ in items:
        if name not in names:
            raise bad_request(
                f"unknown parameter {name!r}; there are: {', '.join(names)}"
            )
    if len(items) > len({name for name, _ in items}):
        raise bad_request("a parameter is given twice")


def read_seed(query: QueryParams) -> int:
    """Reads the parameter `seed`, by default 0.

    Args:
      query: The query.

    Returns:
      The seed.

    Raises:
      RequestError: It is not a non-negative integer, or too large.
    """
    text = query.get("seed", "0")
    if not re.fullmatch(rf"[0-9]{{1,{_MOST_DIGITS}}}", text):
        raise bad_request(
            f"seed must be an integer of at most {_MOST_DIGITS} digits, got {text!r}"
        )
    return int(text)


def read_number(query: QueryParams, name: str) -> float:
    """Reads `truncation_psi`, by default 0.7, or an angle, by default 0.

    Args:
      query: The query.
      name: Name of the parameter.

    Returns:
      The number.

    Raises:
      RequestError: It is not a number or out of range.
    """
    number = _NUMBERS[name]
    text = query.get(name)
    try:
        value = number.default if text is None else float(text)
    except ValueError:
        value = math.nan
    if not number.least <= value <= number.greatest:
        raise bad_request(
            f"{name} must be a number from {number.least:g} to {number.greatest:g}, "
            f"got {text!r}"
        )
    return value
