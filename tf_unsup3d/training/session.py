"""A session of training: progress bar, sheets, TensorBoard and a time limit."""

import contextlib
import pathlib
import time
from collections.abc import Iterator

from tqdm import tqdm

from tf_unsup3d.data.dataset import PictureSet, open_pictures
from tf_unsup3d.errors import StoppedBySignal
from tf_unsup3d.evaluation.alarms.limits import Alarm, raised_alarms
from tf_unsup3d.evaluation.alarms.values import mean_values
from tf_unsup3d.evaluation.distribution.repeated import RepeatedKernelDistance
from tf_unsup3d.files import exclusive, write_json
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.training.beginning import Beginning, begin, run_folder
from tf_unsup3d.training.best_metric import ALARM_GROUP, KERNEL_DISTANCE
from tf_unsup3d.training.distribution import make_strategy
from tf_unsup3d.training.stop_requests import stop_requests
from tf_unsup3d.training.tensorboard.histograms import write_weight_histograms
from tf_unsup3d.training.tensorboard.sheets import draw_sheets
from tf_unsup3d.training.trainer import Stop, Trainer, TrainingObserver
from tf_unsup3d.training.workers import Workers

SHEET_SEEDS = list(range(8))


def train(
    configuration: Configuration,
    data_dir: str,
    model_dir: str,
    *,
    minutes: float | None = None,
    transfer_from: str | None = None,
    distribution: str = "auto",
) -> Trainer:
    """Trains a generator on pictures, or continues to train it.

    With several machines, all of them call this with the same arguments.

    Args:
      configuration: The configuration of the run.
      data_dir: Prepared folder, or folder of pictures.
      model_dir: Folder of the run, which is created if necessary.
      minutes: Minutes of training after which to stop, not counting the time to build
        graphs. None trains for the configured number of steps.
      transfer_from: Folder or checkpoint of a run, folder of a published generator, or
        "pretrained:NAME", with whose networks a new run starts.
      distribution: Over which devices training is distributed; see `make_strategy`.

    Returns:
      The trainer.

    Raises:
      UserError: The pictures, a folder or the configuration cannot be used, the folder
        holds a run on other pictures, another program is training in it, or another
        of several machines ended.
      StoppedBySignal: Ctrl-C, SIGTERM or SIGHUP ended training, after a checkpoint was
        written.
    """
    strategy = make_strategy(distribution)
    workers = Workers(strategy)
    folder = run_folder(model_dir)
    pictures = open_pictures(data_dir, configuration.resolution)
    with contextlib.ExitStack() as stack:
        stack.enter_context(workers.ending_together())
        if workers.is_chief:
            stack.enter_context(exclusive(folder))
        begun = begin(configuration, pictures, folder, strategy, transfer_from)
        if workers.is_chief:
            _introduce(begun, folder, pictures)
        Session(begun.trainer, minutes).run(pictures)
    return begun.trainer


def _introduce(begun: Beginning, folder: pathlib.Path, pictures: PictureSet) -> None:
    """Says what will be trained, and writes how, unless the run has ended before."""
    configuration = begun.trainer.configuration
    steps = configuration.training.steps
    known = (folder / model_folder.CONFIG_NAME).exists()
    if known and begun.step and begun.step >= steps:
        print(f"{folder} has been trained for {begun.step} steps, of {steps}")
        return
    for line in begun.notes:
        print(line)
    write_json(folder / model_folder.PICTURES_NAME, _describe(pictures))
    model_folder.write_configuration(folder, configuration)
    print(
        f"{pictures.count} pictures of {pictures.source}, from step {begun.step}, on "
        f"{begun.describe_devices()}"
    )


class Session(TrainingObserver):
    """Shows the progress of training, and ends it when the time is up.

    Args:
      trainer: The trainer.
      minutes: Minutes of training after which to stop, or None for no limit.
    """

    def __init__(self, trainer: Trainer, minutes: float | None = None):
        self._trainer = trainer
        self._folder = trainer.model_dir
        self._seconds_left = None if minutes is None else 60.0 * minutes
        self._clock = time.monotonic()
        self._signals: list[int] = []
        self._alarms: list[Alarm] = []
        self._kernel_distance: RepeatedKernelDistance | None = None
        # With a time limit, the number of steps does not show how much is left.
        by_minutes = "{desc}step {n_fmt}, {elapsed} passed{postfix}"
        self._bar = tqdm(
            total=trainer.configuration.training.steps,
            initial=trainer.step,
            unit="step",
            dynamic_ncols=True,
            bar_format=None if minutes is None else by_minutes,
            disable=not trainer.workers.is_chief,
        )

    def run(self, pictures: PictureSet) -> None:
        """Trains until the last step, the time limit or a signal.

        Args:
          pictures: The real pictures.

        Raises:
          UserError: Training diverged, or a file cannot be read or written.
          StoppedBySignal: Ctrl-C, SIGTERM or SIGHUP ended training, after a checkpoint
            was written.
        """
        settings = self._trainer.configuration.training
        measures = (
            self._trainer.workers.is_chief and self._trainer.step < settings.steps
        )
        if measures and settings.best_metric == KERNEL_DISTANCE:
            self._kernel_distance = RepeatedKernelDistance(pictures, settings.mirror)
        with stop_requests() as self._signals, self._bar:
            self._clock = time.monotonic()
            self._trainer.train(pictures, self)
        if self._signals:
            print(f"left at step {self._trainer.step}; the same command goes on")
            raise StoppedBySignal(self._signals[0])

    @contextlib.contextmanager
    def compiling(self) -> Iterator[None]:
        """Shows beside the progress bar that a graph is built, and stops the clock."""
        self._count_down()
        self._bar.set_description("building the graph", refresh=True)
        try:
            yield
        finally:
            self._bar.set_description("", refresh=False)
            # The time to build graphs does not count.
            self._clock = time.monotonic()

    def stop(self) -> Stop:
        """Advances the progress bar; stops after a signal, or when the time is up.

        A signal to one of several workers, and the first whose time is up, stop all.
        """
        self._count_down()
        left = self._seconds_left
        time_is_up = left is not None and left <= 0.0
        mine = [max(self._signals, default=0), int(time_is_up)]
        signal, time_is_up_for_one = self._trainer.workers.largest(mine)
        if signal:
            self._signals = self._signals or [signal]
            return Stop.AT_ONCE
        self._bar.update()
        if left is not None:
            self._bar.set_description(f"{max(left, 0.0) / 60.0:.1f} min left", False)
        return Stop.MEASURED if time_is_up_for_one else Stop.NO

    def record(self, step: int, values: dict[str, float]) -> None:
        """Shows some of the values beside the progress bar; warns of raised alarms."""
        self._bar.set_postfix(
            {
                "pictures/s": f"{values['pictures_per_second']:.1f}",
                "D": f"{values['discriminator_loss']:.3f}",
                "G": f"{values['generator_loss']:.3f}",
                "mask": f"{values['mask_area']:.2f}",
            }
        )
        measured = {
            name.removeprefix(ALARM_GROUP): value
            for name, value in values.items()
            if name.startswith(ALARM_GROUP)
        }
        if measured:
            self._warn(step, measured)

    def sheet(self, step: int) -> dict[str, float]:
        """Draws the sheets, and returns the values of the alarms.

        A signal ends this early, because the checkpoint is more urgent.
        """
        model = self._trainer.model()
        scene = model.sample(SHEET_SEEDS, truncation_psi=1.0)
        for _ in draw_sheets(self._folder, model, scene):
            if self._signals:
                return {}
        state = self._trainer.state
        write_weight_histograms(step, state.generator, state.discriminator)
        values = mean_values(scene, model.renderer)
        measured = {f"{ALARM_GROUP}{name}": value for name, value in values.items()}
        if self._kernel_distance:
            distance = self._kernel_distance.measure(
                model, stopped=lambda: bool(self._signals)
            )
            if distance is not None:
                measured[KERNEL_DISTANCE] = distance
        return measured

    def notice(self, text: str) -> None:
        """Shows a line above the progress bar, which goes back with the training."""
        self._bar.write(text)
        self._bar.n = self._trainer.step
        self._bar.refresh()

    def _warn(self, step: int, values: dict[str, float]) -> None:
        alarms = raised_alarms(values)
        for alarm in alarms:
            # Each alarm is reported once, not at every sheet while it lasts.
            if alarm not in self._alarms:
                meaning = alarm.describe(values[alarm.name])
                self._bar.write(f"warning: step {step}: {meaning}")
        self._alarms = alarms

    def _count_down(self) -> None:
        now = time.monotonic()
        if self._seconds_left is not None:
            self._seconds_left -= now - self._clock
        self._clock = now


def _describe(pictures: PictureSet) -> dict[str, str | int]:
    """The values that identify the pictures of a run."""
    return {
        "source": pictures.source,
        "count": pictures.count,
        "checksum": pictures.checksum,
    }
