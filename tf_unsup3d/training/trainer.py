"""Adversarial training."""

import contextlib
import math
import pathlib
import time

import tensorflow as tf

from tf_unsup3d.data.dataset import PictureSet
from tf_unsup3d.errors import UserError
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.checkpoints import newest_checkpoint, restore_checkpoint
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.trained_model import TrainedModel
from tf_unsup3d.training.growth import Growth
from tf_unsup3d.training.metrics import MetricsLog
from tf_unsup3d.training.state import TrainingState
from tf_unsup3d.training.step import AdversarialStep


class TrainingObserver:
    """Follows training and may stop it. This base class does neither."""

    def compiling(self) -> contextlib.AbstractContextManager:
        """Returns a context for a step that must build its graph, which is slow."""
        return contextlib.nullcontext()

    def should_stop(self) -> bool:
        """Returns whether to stop; called after every step."""
        return False

    def record(self, step: int, values: dict[str, float]) -> None:
        """Receives the measurements of a step whenever they are recorded.

        Args:
          step: The step.
          values: Measurements by name. `metrics.jsonl` holds all of them but
            `pictures_per_second`, which differs each time a run is repeated.
        """

    def sheet(self, step: int) -> dict[str, float]:
        """Draws a sheet of samples; returns measurements to add to the record."""
        del step
        return {}


class Trainer:
    """Trains a generator against a discriminator, on all devices of a strategy.

    The random choices of a step are a function of the seed, the step and the number of
    devices, so that a run can be repeated. A run that is continued from a checkpoint
    draws the objects and viewpoints that it would have drawn without the interruption,
    but sees the real pictures in a new order.

    Args:
      configuration: The configuration of the run.
      model_dir: Folder of the run, for checkpoints, `metrics.jsonl` and TensorBoard
        events.
      strategy: The strategy that distributes training. The default is a
        `MirroredStrategy` over all GPUs, or the CPU if there is none.

    Attributes:
      configuration: The configuration of the run.
      model_dir: Folder of the run.
      state: The variables of training.

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
        self._strategy = strategy or tf.distribute.MirroredStrategy()
        settings, resolution = configuration.training, configuration.resolution
        replicas = self._strategy.num_replicas_in_sync
        if settings.batch_size % replicas:
            raise UserError(
                f"Trainer.batch_size {settings.batch_size} is not a multiple of the "
                f"{replicas} devices"
            )
        try:
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
                self.state, configuration, renderers, self._strategy
            )
        except ValueError as error:
            raise UserError(f"Trainer.{error}") from None
        self._compiled: set[tuple[bool, int, bool]] = set()
        self._checkpoints = tf.train.CheckpointManager(
            self.state.checkpoint(),
            str(self.model_dir / model_folder.CHECKPOINTS_NAME),
            max_to_keep=2,
        )

    @property
    def step(self) -> int:
        """Number of steps trained so far."""
        return int(self.state.step.numpy())

    def model(self) -> TrainedModel:
        """Returns the current moving average as a trained model."""
        return TrainedModel(self.state.average, self.configuration, self.step)

    def save(self) -> None:
        """Writes a checkpoint."""
        self._checkpoints.save(checkpoint_number=self.step)

    def restore(self) -> int:
        """Continues from the newest checkpoint, if there is one.

        Returns:
          The number of steps trained so far.

        Raises:
          UserError: The checkpoint is damaged or does not fit the configuration.
        """
        newest = self._checkpoints.latest_checkpoint
        if newest:
            restore_checkpoint(self._checkpoints.checkpoint, newest)
        return self.step

    def transfer(self, folder: pathlib.Path) -> None:
        """Starts from the networks of another run or of a published generator.

        A run provides its generator, average and discriminator; a published folder
        provides a generator only. The optimizers and the step are not transferred.

        Args:
          folder: Folder of the run or of the published generator.

        Raises:
          UserError: The folder holds no networks, or none that fit this configuration.
        """
        if model_folder.is_published(folder):
            model_folder.read_published(self.state.generator, folder)
            self.state.reset_average()
            return
        checkpoints = folder / model_folder.CHECKPOINTS_NAME
        newest = newest_checkpoint(checkpoints)
        if not newest:
            raise UserError(f"--transfer_from: no checkpoint in {checkpoints}")
        networks = tf.train.Checkpoint(**self.state.networks())
        restore_checkpoint(networks, newest, partly=True)

    def train(
        self, pictures: PictureSet, observer: TrainingObserver | None = None
    ) -> None:
        """Trains for the configured number of steps, or until the observer stops it.

        In either case, a checkpoint of the last step is written.

        Args:
          pictures: The real pictures.
          observer: Observer of the training, which may stop it.

        Raises:
          UserError: A measurement is no longer finite. The last checkpoint is kept.
        """
        observer = observer or TrainingObserver()
        settings, step = self.configuration.training, self.step
        if step >= settings.steps:
            return
        self.model_dir.mkdir(parents=True, exist_ok=True)
        log = MetricsLog(self.model_dir / "metrics.jsonl", step)
        writer = tf.summary.create_file_writer(str(self.model_dir / "events"))
        dataset = pictures.batches(
            settings.batch_size, seed=settings.seed + step, mirror=settings.mirror
        )
        batches = iter(self._strategy.experimental_distribute_dataset(dataset))
        started, counted = time.monotonic(), 0
        last_r1 = 0.0
        with writer.as_default():
            while step < settings.steps:
                penalty = step % settings.r1_interval == 0
                values = self._train_step(next(batches), penalty, observer)
                step, counted = step + 1, counted + settings.batch_size
                if penalty:
                    last_r1 = values["r1"]
                stop = observer.should_stop() or step == settings.steps
                sheet = step % settings.sheet_interval == 0 or stop
                if step % settings.log_interval == 0 or sheet:
                    values = {name: float(value) for name, value in values.items()}
                    values["r1"] = float(last_r1)
                    self._check_finite(step, values)
                    if sheet:
                        values |= observer.sheet(step)
                    seen = step * settings.batch_size
                    log.write(step, {"pictures": seen, **values})
                    now = time.monotonic()
                    values["pictures_per_second"] = counted / (now - started)
                    started, counted = now, 0
                    for name, value in values.items():
                        tf.summary.scalar(name, value, step=step)
                    observer.record(step, values)
                if step % settings.checkpoint_interval == 0 or stop:
                    self.save()
                if sheet:
                    writer.flush()
                if stop:
                    break

    def _train_step(
        self, batch: tf.Tensor, penalty: bool, observer: TrainingObserver
    ) -> dict[str, tf.Tensor]:
        seen = self.step * self.configuration.training.batch_size
        size, fade = self._growth.at(seen)
        graph = (penalty, size, fade is None)
        first = graph not in self._compiled
        self._compiled.add(graph)
        with observer.compiling() if first else contextlib.nullcontext():
            return self._step.run(
                batch, penalty, size, None if fade is None else tf.constant(fade)
            )

    def _check_finite(self, step: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            if not math.isfinite(value):
                raise UserError(
                    f"{name} is {value} at step {step}: training diverged; the last "
                    f"checkpoint is {self._checkpoints.latest_checkpoint}"
                )
