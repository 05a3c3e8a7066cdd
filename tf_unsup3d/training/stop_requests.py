"""Requests to stop, which take effect only after the work is saved."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_SIGNALS = signal.SIGINT, signal.SIGTERM


@contextlib.contextmanager
def stop_requests() -> Iterator[list[int]]:
    """Notes the first Ctrl-C or SIGTERM instead of ending the program.

    A second signal has its usual effect, for users who do not want to wait. Only the
    main thread receives signals; in other threads this does nothing.

    Yields:
      List of the signals noted so far, by number. It grows as they arrive.
    """
    noted: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield noted
        return

    def restore() -> None:
        for number, handler in usual.items():
            signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        noted.append(number)
        restore()

    usual = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        signal.signal(number, note)
    try:
        yield noted
    finally:
        restore()
