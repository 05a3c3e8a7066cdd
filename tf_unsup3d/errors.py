"""Why a program ends early: an error that the user can mend, or a signal."""

import re


class UserError(Exception):
    """Bad input: its message is one clear line naming the file, flag or tensor."""


class StoppedBySignal(KeyboardInterrupt):
    """A signal asked the program to end, and its work has been saved.

    Args:
      signal_number: Number of the signal.

    Attributes:
      signal_number: Number of the signal.
    """

    def __init__(self, signal_number: int):
        super().__init__(signal_number)
        self.signal_number = signal_number


def refused_as_not_finite(message: str) -> str | None:
    """Finds out what the rasteriser op has refused because it is NaN or infinite.

    Args:
      message: Message of an `InvalidArgumentError`.

    Returns:
      The name of the input, or None if something else was wrong.
    """
    refused = re.search(r"(\w+) must be finite, but \1\[", message)
    return refused[1] if refused else None
