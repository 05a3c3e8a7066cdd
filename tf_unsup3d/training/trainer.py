"""Adversarial training."""

import contextlib
import enum
import math
import pathlib
import time
from collections.abc import Iterator

import tensorflow as tf

from tf_unsup3d.data.dataset import PictureSet
from tf_unsup3d.errors import UserError
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.trained_model import TrainedModel
from tf_unsup3d.training.batch_division import BatchDivision
from tf_unsup3d.training.checkpoint_folder import CheckpointFolder
from tf_unsup3d.training.distribution import one_machine
from tf_unsup3d.training.growth import Growth
from tf_unsup3d.training.guard import NotFiniteError
from tf_unsup3d.training.metrics import MetricsLog
from tf_unsup3d.training.setbacks import Setbacks
from tf_unsup3d.training.state import TrainingState
from tf_unsup3d.training.step import AdversarialStep
from tf_unsup3d.training.tensorboard.early_sheets import is_early_sheet_step
from tf_unsup3d.training.tensorboard.event_log import EventLog
from tf_unsup3d.training.tensorboard.hyperparameters import write_hyperparameters
from tf_unsup3d.training.transfer import transfer
from tf_unsup3d.training.workers import Workers


class Stop(enum.Enum):
    """Whether training is to stop after a step.

    Attributes:
      NO: Go on.
      MEASURED: Stop after a last sheet and record.
      AT_ONCE: Stop as soon as the checkpoint is written.
    """

    NO = enum.auto()
    MEASURED = enum.auto()
    AT_ONCE = enum.auto()


class TrainingObserver:
    """Follows training and may stop it. This base class does neither."""

    def compiling(self) -> contextlib.AbstractContextManager:
        """Returns a context for a step that must build its graph, which is slow."""
        return contextlib.nullcontext()

    def stop(self) -> Stop:
        """Returns whether to stop; called after every step."""
        return Stop.NO

    def record(self, step: int, values: dict[str, float]) -> None:
        """Receives the measurements of a step whenever they are recorded.

        Args:
          step: The step.
          values: Measurements by name. `metrics.jsonl` holds all of them but
            `pictures_per_second`, which differs each time a run is repeated.
        """

    def sheet(self, step: int) -> dict[str, float]:
        """Draws a sheet of samples, and returns measurements of them by name."""
        del step
        return {}

    def notice(self, text: str) -> None:
        """Receives a line about something out of the ordinary."""


class Trainer:
    """Trains a generator against a discriminator, on all devices of a strategy.

    The random choices of a step are a function of the seed and the step, and so are the
    real pictures that it sees. A run can therefore be repeated, and one that is
    continued from a checkpoint goes on as if nothing had happened: to the bit on the
    CPU. With another number of devices, the results differ by rounding only.

    With several machines, each runs a trainer of its own, all with the same arguments,
    and only the chief's writes to the folder of the run.

    Args:
      configuration: The configuration of the run.
      model_dir: Folder of the run, for checkpoints, `metrics.jsonl` and TensorBoard
        events.
      strategy: The strategy that distributes training. The default is a
        strategy over all GPUs of this machine, or its CPU if there is none.

    Attributes:
      configuration: The configuration of the run.
      model_dir: Folder of the run.
      state: The variables of training.
      workers: The processes that train together.

    Raises:
      UserError: Parameters are out of range or do not fit together.
    """

    def __init__(
        self,
        configuration: Configuration,
        model_dir: str | pathlib.Path,
        strategy: tf.distribute.Strategy | None = None,
    ):
        self.configuration = configuration
        self.model_dir = pathlib.Path(model_dir)
        self._strategy = strategy or one_machine()
        self.workers = Workers(self._strategy)
        settings, resolution = configuration.training, configuration.resolution
        try:
            self._division = BatchDivision(
                settings.batch_size,
                self._strategy.num_replicas_in_sync,
                settings.gradient_accumulation,
                configuration.discriminator["group_size"],
            )
            self._growth = Growth(
                settings.start_resolution or resolution,
                resolution,
                settings.stage_pictures,
                settings.fade_pictures,
            )
            with self._strategy.scope():
                self.state = TrainingState(configuration)
            renderers = {
                size: configuration.make_renderer(resolution=size)
                for size in self._growth.sizes
            }
            self._step = AdversarialStep(
                self.state, configuration, renderers, self._strategy, self._division
            )
        except ValueError as error:
            raise UserError(f"Trainer.{error}") from None
        self._compiled: set[tuple[bool, int, bool]] = set()
        self._checkpoints = CheckpointFolder(
            self.model_dir / model_folder.CHECKPOINTS_NAME,
            self.state,
            settings.keep_checkpoints,
        )
        self._metrics_path = self.model_dir / "metrics.jsonl"
        self._setbacks = Setbacks(settings.divergence_retries)

    @property
    def step(self) -> int:
        """Number of steps trained so far."""
        return int(self.state.step.numpy())

    def model(self) -> TrainedModel:
        """Returns the current moving average as a trained model."""
        return TrainedModel(self.state.average, self.configuration, self.step)

    @property
    def devices(self) -> int:
        """Number of devices that train together, over all machines."""
        return self._division.devices

    def save(self) -> None:
        """Writes a checkpoint, if this is the chief.

        Raises:
          NotFiniteError: A variable is not finite. Nothing is written.
          UserError: The checkpoint cannot be written. The older ones are kept.
        """
        # On all workers, so that they go back together.
        self.state.check_finite()
        if self.workers.is_chief:
            self._checkpoints.save()

    def restore(self) -> int:
        """Continues from the newest checkpoint that is not damaged, if there is one.

        Returns:
          The number of steps trained so far.

        Raises:
          UserError: All checkpoints are damaged or gone, or one does not fit the
            configuration.
        """
        restored = self._checkpoints.restore()
        path = self._metrics_path
        if not restored and path.exists() and path.stat().st_size:
            raise UserError(
                f"{self.model_dir} holds the records of a run, but none of its "
                "checkpoints; delete it or name another folder"
            )
        return self.step

    def transfer(self, source: str) -> list[str]:
        """Starts from the networks of another model; see `transfer.transfer`."""
        return transfer(source, self.state)

    def train(
        self, pictures: PictureSet, observer: TrainingObserver | None = None
    ) -> None:
        """Trains for the configured number of steps, or until the observer stops it.

        In either case, a checkpoint of the last step is written. When a number is no
        longer finite, training goes back to the last checkpoint, as often as the
        configuration allows.

        Args:
          pictures: The real pictures.
          observer: Observer of the training, which may stop it.

        Raises:
          UserError: Training diverged, or a file cannot be read or written. The last
            checkpoint is kept.
        """
        observer = observer or TrainingObserver()
        if self.step >= self.configuration.training.steps:
            return
        events = None
        with contextlib.ExitStack() as stack:
            if self.workers.is_chief:
                self._checkpoints.tidy()
                events = stack.enter_context(
                    EventLog(self.model_dir / model_folder.EVENTS_NAME)
                )
                write_hyperparameters(self.model_dir, self.step, self.configuration)
            while True:
                try:
                    if self.step == 0 or self._checkpoints.newest is None:
                        self.save()  # To go back to.
                    return self._train(pictures, observer, events)
                except NotFiniteError as error:
                    self._go_back(error, observer)

    def _train(
        self,
        pictures: PictureSet,
        observer: TrainingObserver,
        events: EventLog | None,
    ) -> None:
        """Trains from the present step on, with records if there are events."""
        settings, step = self.configuration.training, self.step
        log = MetricsLog(self._metrics_path, step) if events else None
        batches = self._batches(pictures)
        started, counted, stop = time.monotonic(), 0, Stop.NO
        while step < settings.steps and stop is Stop.NO:
            values = self._train_step(self._next(batches, pictures), observer)
            step, counted = step + 1, counted + settings.batch_size
            stop = observer.stop()
            last = step == settings.steps or stop is Stop.MEASURED
            sheet = step % settings.sheet_interval == 0 or last
            early = is_early_sheet_step(step, settings.sheet_interval)
            shown: dict[str, float] = {}
            if events and (sheet or early) and stop is not Stop.AT_ONCE:
                before = time.monotonic()
                shown = observer.sheet(step)
                started += time.monotonic() - before
            if log and events and (step % settings.log_interval == 0 or sheet):
                record = self._record(values)
                if sheet:
                    record |= shown
                log.write(step, {"pictures": step * settings.batch_size, **record})
                now = time.monotonic()
                record["pictures_per_second"] = counted / (now - started)
                started, counted = now, 0
                shown |= record | self._step.gradient_norms() | self.state.rates()
                observer.record(step, record)
            if events and shown:
                events.write(step, shown)
            # Not of an early sheet, which no record holds.
            if sheet and settings.best_metric in shown:
                self._keep_if_best(shown[settings.best_metric], observer)
            # Only now, so that no record of this or an earlier step is missing.
            if step % settings.checkpoint_interval == 0 or last or stop is not Stop.NO:
                self.save()
            if events and (sheet or early):
                events.flush()

    def _keep_if_best(self, value: float, observer: TrainingObserver) -> None:
        """Keeps the present model besides the newest, if no other was better."""
        if value < self.state.best.numpy():
            self.state.best.assign(value)
            self._checkpoints.save_best()
            name = self.configuration.training.best_metric
            observer.notice(f"step {self.step} is the best so far: {name} {value:.4g}")

    def _record(self, values: dict[str, tf.Tensor]) -> dict[str, float]:
        """The measurements of a step that are known."""
        record = {name: float(value) for name, value in values.items()}
        if self.configuration.training.rate_decay:
            record["rate_factor"] = self.state.present_rate_factor
        if math.isnan(record["r1"]):
            del record["r1"]  # Not known yet; what diverged is found before.
        return record

    def try_step(self, pictures: PictureSet) -> dict[str, float]:
        """Runs one step, the largest of the configuration, which changes the variables.

        Args:
          pictures: The real pictures.

        Returns:
          The measurements of the step by name.

        Raises:
          NotFiniteError: A loss, gradient or weight is not finite.
          UserError: There are too few pictures, or they cannot be read.
        """
        with pictures.iterating():
            batch = next(self._batches(pictures))
        values = self._step.run(batch, True, self.configuration.resolution, None)
        return {name: float(value) for name, value in values.items()}

    def _batches(self, pictures: PictureSet) -> Iterator[tf.Tensor]:
        """The batches of real pictures from this step on."""
        settings = self.configuration.training
        dataset = pictures.batches(
            settings.batch_size,
            seed=settings.seed,
            mirror=settings.mirror,
            first_batch=self.step,
        )
        division = self._division

        def shares(context: tf.distribute.InputContext) -> tf.data.Dataset:
            """The batches of the devices of this machine, which take turns."""
            if division.devices == 1:
                return dataset.map(lambda batch: division.share(batch, 0))
            count = division.devices // context.num_input_pipelines
            first = count * context.input_pipeline_id
            return dataset.flat_map(
                lambda batch: tf.data.Dataset.from_tensor_slices(
                    [division.share(batch, first + index) for index in range(count)]
                )
            ).prefetch(count)

        return iter(self._strategy.distribute_datasets_from_function(shares))

    def _next(self, batches: Iterator[tf.Tensor], pictures: PictureSet) -> tf.Tensor:
        try:
            return next(batches)
        except tf.errors.OpError as error:
            if self.workers.may_have_caused(error):
                raise
            self.save()
            saved = f" and goes on from step {self.step}, which is saved"
            raise UserError(
                f"{pictures.unreadable(error)}"
                + (saved if self.workers.is_chief else "")
            ) from error

    def _train_step(
        self, batch: tf.Tensor, observer: TrainingObserver
    ) -> dict[str, tf.Tensor]:
        settings, step = self.configuration.training, self.step
        penalty = step % settings.r1_interval == 0
        size, fade = self._growth.at(step * settings.batch_size)
        graph = (penalty, size, fade is None)
        if settings.rate_decay:
            self.state.set_rates()
        first = graph not in self._compiled
        self._compiled.add(graph)
        try:
            with observer.compiling() if first else contextlib.nullcontext():
                return self._step.run(batch, penalty, size, fade)
        except NotFiniteError:
            # It counts, although the renderer may have ended it halfway.
            self.state.step.assign(step + 1)
            raise

    def _go_back(self, error: NotFiniteError, observer: TrainingObserver) -> None:
        """Restores the last checkpoint after training diverged, unless it did often."""
        step = self.step
        self._setbacks.add(step)
        newest = self._checkpoints.newest
        what = f"step {step}: {error}"
        # The other workers do not notice what only one renderer has refused.
        alone = self.workers.count > 1 and error.__cause__ is not None
        if self._setbacks.exhausted or newest is None or alone:
            saved = f"the last checkpoint is {newest.path}" if newest else "none saved"
            raise UserError(
                f"{what}: training diverged {self._setbacks.describe()}; {saved}; try "
                "lower Trainer.generator_rate and Trainer.discriminator_rate"
            ) from error
        self._checkpoints.restore()
        self.workers.check_same({"the checkpoint that they go back to": self.step})
        factor = self.configuration.training.divergence_rate_factor
        if factor != 1.0:
            lowered = self.state.rate_factor.numpy() * factor**self._setbacks.count
            self.state.rate_factor.assign(lowered)
            self.state.set_rates()
            what += f"; learning rates are multiplied by {lowered:g} from now on"
        observer.notice(f"warning: {what}; back to step {self.step}")
