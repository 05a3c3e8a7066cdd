"""Why a program ends early: an error that the user can mend, or a signal."""


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
