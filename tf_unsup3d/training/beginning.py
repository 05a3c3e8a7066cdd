"""How a session of training begins: with a trainer that knows where the run is."""

import hashlib
import pathlib
from typing import NamedTuple

import tensorflow as tf

from tf_unsup3d.data.dataset import PictureSet
from tf_unsup3d.errors import UserError
from tf_unsup3d.files import read_json
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.checkpoints import find_checkpoints
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.gin_files import format_value
from tf_unsup3d.training.best_metric import check_best_metric
from tf_unsup3d.training.trainer import Trainer
from tf_unsup3d.training.workers import Workers


class Beginning(NamedTuple):
    """A trainer that is ready to train.

    Attributes:
      trainer: The trainer.
      step: Number of steps that the run has been trained so far.
      notes: Lines that say which networks come from another model, or which parameters
        have changed since the run was trained last.
    """

    trainer: Trainer
    step: int
    notes: list[str]

    def describe_devices(self) -> str:
        """The devices that train, in words."""
        workers, devices = self.trainer.workers.count, self.trainer.devices
        if not tf.config.list_logical_devices("GPU"):
            return "the CPU" if workers == 1 else f"the CPUs of {workers} machines"
        text = "1 GPU" if devices == 1 else f"{devices} GPUs"
        return text if workers == 1 else f"{text} of {workers} machines"


def run_folder(model_dir: str) -> pathlib.Path:
    """Finds the folder of a run, which need not exist, or raises a `UserError`."""
    folder = model_folder.find_folder(model_dir)
    if model_folder.is_published(folder):
        raise UserError(f"--model_dir: {folder} is published, and not trained further")
    return folder


def begin(
    configuration: Configuration,
    pictures: PictureSet,
    folder: pathlib.Path,
    strategy: tf.distribute.Strategy,
    transfer_from: str | None,
) -> Beginning:
    """Makes a trainer, and restores the run or transfers networks. Writes nothing.

    Args:
      configuration: The configuration of the run.
      pictures: The real pictures.
      folder: Folder of the run.
      strategy: The strategy that distributes training.
      transfer_from: Folder or checkpoint of a run, folder of a published generator, or
        "pretrained:NAME", with whose networks a new run starts.

    Returns:
      The beginning.

    Raises:
      UserError: The configuration or the folder cannot be used, there are too few
        pictures, the folder holds a run on others, or several machines differ in any
        of this.
    """
    check_best_metric(configuration.training.best_metric)
    pictures.check_enough(configuration.training.batch_size)
    _check_pictures(folder, pictures)
    # Workers whose variables differ could not even make them together.
    Workers(strategy).check_same(
        {
            "the configuration": _number(configuration.to_gin()),
            "the pictures of --data_dir": _number(
                f"{pictures.checksum} {pictures.count}"
            ),
        }
    )
    trainer = Trainer(configuration, folder, strategy)
    step, notes = trainer.restore(), []
    if step:
        notes = _changes(trainer, folder)
    elif transfer_from:
        lines = trainer.transfer(transfer_from)
        notes = [f"from {transfer_from}: {line}" for line in lines]
    trainer.workers.check_same(
        {"the step found in --model_dir, which all must share": step}
    )
    return Beginning(trainer, step, notes)


def _number(text: str) -> int:
    """A number of 63 bits by which texts can be told apart."""
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % 2**63


def _check_pictures(folder: pathlib.Path, pictures: PictureSet) -> None:
    """Makes sure that a run continues on the pictures it was started with."""
    path = folder / model_folder.PICTURES_NAME
    checkpoints = find_checkpoints(folder / model_folder.CHECKPOINTS_NAME)
    # A run that has learned nothing may begin again with others.
    if not path.exists() or not any(found.step for found in checkpoints):
        return
    found = read_json(path)
    if found.get("checksum") != pictures.checksum:
        raise UserError(
            f"--model_dir: {folder} is a run on {found.get('count')} pictures of "
            f"{found.get('source')}, not on these {pictures.count} of "
            f"{pictures.source}; name another folder, with --transfer_from={folder} to "
            "begin with its networks"
        )


def _changes(trainer: Trainer, folder: pathlib.Path) -> list[str]:
    """Says how the configuration differs from that of the run so far."""
    try:
        former = model_folder.read_configuration(folder)
    except UserError as error:
        return [f"note: {error}; it is written anew"]
    before, now = (
        {name: format_value(value) for name, value in found.parameters().items()}
        for found in (former, trainer.configuration)
    )
    lines = [
        f"{name} = {value} from now on, formerly {before.get(name, 'not set')}"
        for name, value in now.items()
        if before.get(name) != value
    ]
    sizes = [found.training.batch_size for found in (former, trainer.configuration)]
    if sizes[0] != sizes[1]:
        seen = [f"{trainer.step * size:,}" for size in sizes]
        lines.append(
            f"note: growth and decay count steps times Trainer.batch_size: {seen[1]} "
            f"pictures from now on, formerly {seen[0]}"
        )
    return lines
