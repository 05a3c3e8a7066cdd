"""The processes that train together: one alone, or one on each of several machines."""

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from tf_unsup3d.errors import UserError

# What TensorFlow raises when another process has ended.
_ERRORS_OF_ANOTHER_END = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
)


class Workers:
    """What the processes of a strategy have to agree on.

    Each method is called by all of them at the same point, and waits for the others. A
    single process agrees with itself at no cost.

    Args:
      strategy: The strategy that distributes training.

    Attributes:
      count: Number of processes.
      is_chief: Whether this one writes checkpoints, records and sheets.
    """

    def __init__(self, strategy: tf.distribute.Strategy):
        self._strategy = strategy
        resolver = strategy.cluster_resolver
        cluster = resolver.cluster_spec().as_dict() if resolver else {}
        self.count = max(1, sum(map(len, cluster.values())))
        self.is_chief = self.count == 1 or strategy.extended.should_checkpoint

    def largest(self, values: Sequence[int]) -> list[int]:
        """Returns the largest of each value over all processes."""
        if self.count == 1:
            return list(values)
        return self._gather(values).max(0).tolist()

    def check_same(self, values: dict[str, int]) -> None:
        """Makes sure that all processes have the same values.

        Args:
          values: Integers of at most 63 bits by what they are.

        Raises:
          UserError: They differ. The message says what differs.
        """
        if self.count == 1:
            return
        found = self._gather(list(values.values()))
        for name, column in zip(values, found.T, strict=True):
            if len(set(column.tolist())) > 1:
                raise UserError(f"the workers of TF_CONFIG differ in {name}")

    @contextlib.contextmanager
    def ending_together(self) -> Iterator[None]:
        """Turns the errors that the end of another process causes into one line.

        Raises:
          UserError: Another process ended or cannot be reached.
        """
        try:
            yield
        except tf.errors.OpError as error:
            if not self.may_have_caused(error):
                raise
            raise UserError(
                "another worker of TF_CONFIG ended or cannot be reached, so that this "
                "one ends as well; start all of them again to go on from the last "
                "checkpoint"
            ) from error

    def may_have_caused(self, error: tf.errors.OpError) -> bool:
        """Whether an error may come from the end of another process.

        It shows in whatever is computed next.

        Args:
          error: What TensorFlow raised.
        """
        return self.count > 1 and isinstance(error, _ERRORS_OF_ANOTHER_END)

    def _gather(self, values: Sequence[int]) -> np.ndarray:
        """The values `[devices, values]` of all processes, once for each device."""
        found = self._gather_tensor(tf.constant([values], tf.int64))
        return found.numpy()

    @tf.function(autograph=False)
    def _gather_tensor(self, values: tf.Tensor) -> tf.Tensor:
        # Copied, because a value must lie on the device that sends it.
        of_devices = self._strategy.run(lambda: tf.identity(values))
        return self._strategy.gather(of_devices, axis=0)
