"""Checks of constructor arguments."""

_RESOLUTIONS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)


def check_range(name: str, value: float, smallest: float, largest: float) -> None:
    """Raises an error if a number is out of range.

    Args:
      name: Name of the argument, for the message.
      value: Value of the argument.
      smallest: Smallest allowed value.
      largest: Largest allowed value.

    Raises:
      ValueError: The value is out of range.
    """
    if not smallest <= value <= largest:
        raise ValueError(
            f"{name} must be from {smallest:g} to {largest:g}, got {value}"
        )


def check_resolution(name: str, value: int, largest: int = _RESOLUTIONS[-1]) -> None:
    """Raises an error if a resolution is not a power of two in the allowed range.

    Args:
      name: Name of the argument, for the message.
      value: Height and width in pixels.
      largest: Largest allowed resolution. The smallest is 4, where the networks begin
        and end.

    Raises:
      ValueError: The value is not a power of two from 4 to `largest`.
    """
    if value not in _RESOLUTIONS or value > largest:
        raise ValueError(
            f"{name} must be a power of two from 4 to {largest}, got {value}"
        )
