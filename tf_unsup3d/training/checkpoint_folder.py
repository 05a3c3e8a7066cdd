"""The checkpoints of a run in training: written, found again, and thinned out."""

import contextlib
import pathlib
import shutil

from tf_unsup3d.errors import UserError
from tf_unsup3d.files import remove_leftovers, writing
from tf_unsup3d.trained.checkpoints import (
    Checkpoint,
    DamagedCheckpointError,
    best_path,
    checkpoint_path,
    find_checkpoints,
    restore_newest,
)
from tf_unsup3d.training.state import TrainingState


class CheckpointFolder:
    """Saves and restores the variables of training.

    Args:
      folder: The folder, which is created when it is written to.
      state: The variables.
      keep: Number of checkpoints to keep, at least 1.
    """

    def __init__(self, folder: pathlib.Path, state: TrainingState, keep: int):
        self._folder = folder
        self._state = state
        self._keep = keep
        self._restored = False

    @property
    def newest(self) -> Checkpoint | None:
        """The newest checkpoint, damaged or not."""
        return next(iter(find_checkpoints(self._folder)), None)

    def save(self) -> None:
        """Writes a checkpoint, then removes those that are no longer kept.

        Raises:
          UserError: The file cannot be written, or the folder holds later checkpoints
            that were not restored. The older ones are kept.
        """
        step = int(self._state.step.numpy())
        newest = self.newest
        if newest and newest.step > step and not self._restored:
            raise UserError(
                f"{self._folder} holds {newest.path.name} of a run that is not the one "
                "being trained"
            )
        self._state.save(checkpoint_path(self._folder, step))
        found = find_checkpoints(self._folder)
        # Training went back behind those of later steps, because they are damaged.
        later = [one for one in found if one.step > step]
        for checkpoint in later + found[len(later) + self._keep :]:
            checkpoint.remove()

    def save_best(self) -> None:
        """Writes the checkpoint that is the best so far, in place of the former one.

        Raises:
          UserError: The file cannot be written. The former one is kept.
        """
        self._state.save(best_path(self._folder))

    def restore(self) -> Checkpoint | None:
        """Restores the newest checkpoint that is not damaged.

        Returns:
          The checkpoint, or None if there is none.

        Raises:
          UserError: All checkpoints are damaged, or one does not fit.
        """
        self._restored = True
        restored = restore_newest(self._folder, self._state.restore)
        best = best_path(self._folder)
        if restored and best.is_file():
            # It may be newer, and must not be replaced by a worse one.
            with contextlib.suppress(DamagedCheckpointError):
                self._state.recall_best(Checkpoint(best, 0))
        return restored

    def tidy(self) -> None:
        """Removes what killed runs have left. No other program may be saving here.

        Raises:
          UserError: A file cannot be removed.
        """
        remove_leftovers(self._folder)
        with writing(self._folder):
            # Those of `tf.train.Checkpoint`.
            for path in self._folder.glob("ckpt-*_temp"):
                shutil.rmtree(path)
