"""What training would do, tried on one batch without writing anything."""

import math
import resource
from collections.abc import Iterator

import tensorflow as tf

from tf_unsup3d.data.dataset import PictureSet, open_pictures
from tf_unsup3d.errors import UserError
from tf_unsup3d.models.parts import Parts, discriminator_parts, generator_parts
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.training.beginning import Beginning, begin, run_folder
from tf_unsup3d.training.distribution import make_strategy
from tf_unsup3d.training.guard import NotFiniteError
from tf_unsup3d.training.state import TrainingState
from tf_unsup3d.training.workers import Workers

# Numbers of float32 that training holds for each weight: the weight, its gradient and
# two moments of Adam; for the generator also the moving average.
_GENERATOR_COPIES, _DISCRIMINATOR_COPIES = 5, 4
_MIB = 2**20


def dry_run(
    configuration: Configuration,
    data_dir: str,
    model_dir: str,
    *,
    transfer_from: str | None = None,
    distribution: str = "auto",
) -> None:
    """Prints what training would work with, and trains one batch in memory.

    The batch takes the largest step of the configuration: pictures of the full
    resolution, with the gradient penalty. Neither the run nor the pictures change.

    Args:
      configuration: The configuration of the run.
      data_dir: Prepared folder, or folder of pictures.
      model_dir: Folder of the run, which need not exist.
      transfer_from: See `session.train`.
      distribution: See `session.train`.

    Raises:
      UserError: Training would refuse to start, or a number in the step is not finite.
    """
    strategy = make_strategy(distribution)
    workers = Workers(strategy)
    folder = run_folder(model_dir)
    pictures = open_pictures(data_dir, configuration.resolution, note_intact=False)
    with workers.ending_together():
        begun = begin(configuration, pictures, folder, strategy, transfer_from)
        if workers.is_chief:
            print("\n".join([*begun.notes, *_describe(begun, pictures)]))
        try:
            values = begun.trainer.try_step(pictures)
        except NotFiniteError as error:
            raise UserError(f"the first batch fails: {error}") from error
        if workers.is_chief:
            print("\n".join(_describe_step(values)))


def _describe(begun: Beginning, pictures: PictureSet) -> Iterator[str]:
    """Lines about the networks, devices and pictures."""
    state, settings = begun.trainer.state, begun.trainer.configuration.training
    yield from _table("generator", generator_parts(state.generator))
    yield from _table("discriminator", discriminator_parts(state.discriminator))
    skipped = f", {pictures.skipped} skipped" if pictures.skipped else ""
    size = pictures.resolution
    yield f"pictures: {pictures.count} of {pictures.source}{skipped}, {size} x {size}"
    yield f"devices: {begun.describe_devices()}"
    yield f"steps: {begun.step} of {settings.steps} trained"
    yield (
        "memory of weights, gradients, moments and average: "
        f"{_weight_bytes(state) / _MIB:,.0f} MiB on each device"
    )


def _describe_step(values: dict[str, float]) -> Iterator[str]:
    """Lines about the step, and what it took."""
    yield "first batch, at full resolution and with the gradient penalty:"
    for name, value in values.items():
        yield f"  {name:24}{value:12.5g}"
    yield "  all losses, gradients and weights are finite"
    # In KiB on Linux.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield f"peak memory with this step: {peak:,.0f} MiB of this process"
    for device in tf.config.list_logical_devices("GPU"):
        peak = tf.config.experimental.get_memory_info(device.name)["peak"] / _MIB
        yield f"peak memory with this step: {peak:,.0f} MiB of {device.name}"
    yield "nothing was written"


def _table(network: str, parts: Parts) -> Iterator[str]:
    """Lines with the number of parameters of each part of a network."""
    yield f"{network:24}{'parameters':>12}"
    counts = {
        name: sum(math.prod(variable.shape) for variable in variables)
        for name, variables in parts.items()
    }
    for name, count in counts.items():
        yield f"  {name:22}{count:12,}"
    yield f"  {'all':22}{sum(counts.values()):12,}"


def _weight_bytes(state: TrainingState) -> int:
    return 4 * (
        _GENERATOR_COPIES * state.generator.count_params()
        + _DISCRIMINATOR_COPIES * state.discriminator.count_params()
    )
