"""Imports TensorFlow without what it prints meanwhile."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


def import_tensorflow() -> None:
    """Imports TensorFlow and looks for devices, both of which print several lines."""
    with _quiet_stderr():
        import tensorflow as tf

        tf.config.list_physical_devices()
        # Several machines must be connected before anything is computed.
        if "TF_CONFIG" not in os.environ:
            tf.zeros([])


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Keeps what is written to standard error, by C++ code too, and shows it if needed.

    It is needed where the block raises.
    """
    sys.stderr.flush()
    usual = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(usual, kept.read())
            raise
        finally:
            os.dup2(usual, 2)
            os.close(usual)
