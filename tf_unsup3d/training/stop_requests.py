"""Requests to stop, which take effect only after the work is saved."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


@contextlib.contextmanager
def stop_requests() -> Iterator[list[int]]:
    """Notes the first Ctrl-C, SIGTERM or SIGHUP instead of ending the program.

    A second signal has its usual effect, for users who do not want to wait. A signal
    that is ignored, as SIGHUP under `nohup`, stays so. Only the main thread receives
    signals; in other threads this does nothing.

    Yields:
      List of the signals noted so far, by number. It grows as they arrive.
    """
    noted: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield noted
        return
    terminals = [descriptor for descriptor in (1, 2) if os.isatty(descriptor)]

    def restore() -> None:
        for number, handler in usual.items():
            signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        noted.append(number)
        if number == signal.SIGHUP:
            _discard_output(terminals)
        restore()

    usual = {
        number: handler
        for number in _SIGNALS
        if (handler := signal.getsignal(number)) is not signal.SIG_IGN
    }
    for number in usual:
        signal.signal(number, note)
    try:
        yield noted
    finally:
        restore()


def _discard_output(terminals: list[int]) -> None:
    """Lets a program go on whose terminal is gone, so that writing to it would fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in terminals:
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
