"""Checkpoints of training runs."""

import pathlib

import tensorflow as tf

from tf_unsup3d.errors import UserError


def newest_checkpoint(folder: pathlib.Path) -> str | None:
    """Returns the path of the newest checkpoint in a folder, or None."""
    return tf.train.latest_checkpoint(str(folder))


def restore_checkpoint(
    checkpoint: tf.train.Checkpoint, path: str, *, partly: bool = False
) -> None:
    """Restores variables from a checkpoint.

    Args:
      checkpoint: Checkpoint object with the variables to restore, by name.
      path: Path of the checkpoint; see `newest_checkpoint`.
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
    # TensorFlow reports a truncated file as an index out of range.
    except (tf.errors.OpError, IndexError, RuntimeError) as error:
        raise UserError(f"checkpoint {path} is damaged") from error
    if partly:
        status.expect_partial()
