"""Checkpoints of training runs."""

import pathlib

import tensorflow as tf

from tf_unsup3d.errors import UserError


def newest_checkpoint(folder: pathlib.Path) -> str | None:
    """The newest checkpoint in a folder of checkpoints, or None."""
    return tf.train.latest_checkpoint(str(folder))


def restore_checkpoint(
    checkpoint: tf.train.Checkpoint, path: str, *, partly: bool = False
) -> None:
    """Gives variables the values of a checkpoint.

    Args:
      checkpoint: The variables, by name.
      path: The checkpoint, see `newest_checkpoint`.
      partly: Whether the checkpoint may hold more than these variables.

    Raises:
      UserError: The checkpoint is damaged, or does not fit the variables.
    """
    try:
        status = checkpoint.restore(path)
        status.assert_existing_objects_matched()
    except (AssertionError, ValueError) as error:
        raise UserError(
            f"checkpoint {path} does not fit the configuration; use the config.gin of "
            "the run"
        ) from error
    # TensorFlow reads a file that ends too early as an index out of range.
    except (tf.errors.OpError, IndexError, RuntimeError) as error:
        raise UserError(f"checkpoint {path} is damaged") from error
    if partly:
        status.expect_partial()
