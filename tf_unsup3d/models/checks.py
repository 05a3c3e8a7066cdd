"""Checks of the parameters of models."""


def check_range(name: str, value: float, smallest: float, largest: float) -> None:
    """Refuses a number that is out of range.

    Args:
      name: Name of the parameter.
      value: Its value.
      smallest: The smallest value that is allowed.
      largest: The largest value that is allowed.

    Raises:
      ValueError: The value is out of range.
    """
    if not smallest <= value <= largest:
        raise ValueError(
            f"{name} must be from {smallest:g} to {largest:g}, got {value}"
        )


def check_resolution(name: str, value: int) -> None:
    """Refuses a resolution that is not a power of two from 4 to 1024.

    Args:
      name: Name of the parameter.
      value: Its value.

    Raises:
      ValueError: The value is not such a number.
    """
    if value not in (4, 8, 16, 32, 64, 128, 256, 512, 1024):
        raise ValueError(f"{name} must be a power of two from 4 to 1024, got {value}")
