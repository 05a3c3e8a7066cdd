"""The TensorBoard events of a run."""

import contextlib
import pathlib
from collections.abc import Iterator
from types import TracebackType

import tensorflow as tf

from tf_unsup3d.errors import UserError
from tf_unsup3d.training.tensorboard.tags import tag


class EventLog:
    """Writes measurements for TensorBoard; in its context, `tf.summary` does as well.

    Args:
      folder: Folder of the event files.
    """

    def __init__(self, folder: pathlib.Path):
        self._folder = folder
        with self._writing():
            self._writer = tf.summary.create_file_writer(str(folder))
        self._default = self._writer.as_default()

    def __enter__(self) -> "EventLog":
        self._default.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._writing():
            self._default.__exit__(kind, error, traceback)
            self._writer.close()

    def write(self, step: int, values: dict[str, float]) -> None:
        """Writes the measurements of a step under their tags.

        Args:
          step: The step.
          values: Measurements by the names that `tags.tag` knows.

        TensorFlow says nothing where a disk is full.

        Raises:
          UserError: TensorFlow says that they cannot be written.
        """
        with self._writing():
            for name, value in values.items():
                tf.summary.scalar(tag(name), value, step=step)

    def flush(self) -> None:
        """Makes what was written visible, or raises a `UserError` as `write` does."""
        with self._writing():
            self._writer.flush()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except tf.errors.OpError as error:
            reason = error.message.splitlines()[0]
            raise UserError(f"cannot write {self._folder}: {reason}") from error
