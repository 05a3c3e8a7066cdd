"""Adversarial training."""

import pathlib
import time
from collections.abc import Callable

import gin
import keras
import tensorflow as tf

from tf_unsup3d.compat import checkpointable
from tf_unsup3d.data.dataset import PictureSet
from tf_unsup3d.errors import UserError
from tf_unsup3d.geometry.viewpoints import UniformViewpoints
from tf_unsup3d.models import precision
from tf_unsup3d.models.configured import Discriminator, Generator, Renderer
from tf_unsup3d.training import losses
from tf_unsup3d.training.growth import Growth
from tf_unsup3d.training.metrics import MetricsLog
from tf_unsup3d.training.moving_average import decay


@gin.configurable
class Trainer:
    """Trains a generator against a discriminator, on every device of a strategy.

    All randomness is a function of (seed, step), so that a run repeats, and resumes,
    as it was.

    Args:
      model_dir: folder of the run: checkpoints, `metrics.jsonl`, TensorBoard events.
      strategy: that the variables are made under; None is a MirroredStrategy.
      viewpoints: distribution p_v, with `sample(batch, seed)`.
      resolution: of the pictures.
      start_resolution: of the first pictures, see `Growth`; 0 is `resolution`.
      stage_pictures: pictures seen at each resolution before the last.
      fade_pictures: pictures over which a new resolution is faded in.
      batch_size: over all devices.
      steps: to train in all.
      seed: of everything random.
      mirror: whether real pictures are mirrored at random.
      generator_rate: Adam's learning rate.
      discriminator_rate: the same of the discriminator.
      r1_gamma: strength of the gradient penalty on real pictures.
      r1_interval: steps from one penalty to the next (lazy regularisation).
      convolution_dtype: "auto", "bfloat16" or "float32"; see
        `precision.convolution_dtype`.
      folding_weight: of the penalty on surface that turns inside out.
      hidden_weight: of the penalty on rough surface that no picture shows; see
        `losses.hidden_roughness`.
      ema_pictures: half-life of the generator's moving average, in pictures; early in
        training no longer than an eighth of the pictures seen.
      log_interval: steps between two records.
      checkpoint_interval: steps between two checkpoints.
      sheet_interval: steps between two sheets of samples.
    """

    def __init__(
        self,
        model_dir: str | pathlib.Path,
        strategy: tf.distribute.Strategy | None = None,
        viewpoints=None,
        resolution: int = 64,
        start_resolution: int = 0,
        stage_pictures: int = 0,
        fade_pictures: int = 0,
        batch_size: int = 16,
        steps: int = 100_000,
        seed: int = 0,
        mirror: bool = True,
        generator_rate: float = 0.002,
        discriminator_rate: float = 0.002,
        r1_gamma: float = 2.0,
        r1_interval: int = 8,
        folding_weight: float = 1.0,
        hidden_weight: float = 0.0,
        convolution_dtype: str = "auto",
        ema_pictures: float = 5_000.0,
        log_interval: int = 50,
        checkpoint_interval: int = 500,
        sheet_interval: int = 500,
    ):
        self.model_dir = pathlib.Path(model_dir)
        self.strategy = strategy or tf.distribute.MirroredStrategy()
        self.viewpoints = viewpoints or UniformViewpoints()
        self.resolution = resolution
        self.batch_size = batch_size
        self.steps = steps
        self.seed = seed
        self.mirror = mirror
        self.r1_gamma = r1_gamma
        self.r1_interval = r1_interval
        self.folding_weight = folding_weight
        self.hidden_weight = hidden_weight
        try:
            self._convolutions = precision.convolution_dtype(convolution_dtype)
            self.growth = Growth(
                start_resolution or resolution,
                resolution,
                stage_pictures,
                fade_pictures,
            )
        except ValueError as error:
            raise UserError(f"Trainer.{error}") from None
        self.log_interval = log_interval
        self.checkpoint_interval = checkpoint_interval
        self.sheet_interval = sheet_interval
        self.replicas = self.strategy.num_replicas_in_sync
        if batch_size < 1 or batch_size % self.replicas:
            raise UserError(
                f"Trainer.batch_size {batch_size} is not a positive multiple of the "
                f"{self.replicas} devices"
            )
        self.ema_pictures = ema_pictures

        keras.utils.set_random_seed(seed)
        with self.strategy.scope():
            self.generator = Generator(name="generator")
            self.average = Generator(name="average")
            self.discriminator = Discriminator(
                resolution=resolution,
                start_resolution=self.growth.start,
                name="discriminator",
            )
            for model in (self.generator, self.average):
                model.build([None, model.latent_size])
            self.discriminator.build([None, resolution, resolution, 3])
            # "weights" may be ordered by creation only for equal classes, as here.
            self.average.set_weights(self.generator.get_weights())
            self.generator_optimizer = keras.optimizers.Adam(
                generator_rate, beta_1=0.0, beta_2=0.99
            )
            self.discriminator_optimizer = keras.optimizers.Adam(
                discriminator_rate, beta_1=0.0, beta_2=0.99
            )
            self.generator_optimizer.build(self.generator.trainable_variables)
            self.discriminator_optimizer.build(self.discriminator.trainable_variables)
            self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self._renderers = {
            size: Renderer(resolution=size) for size in self.growth.sizes
        }
        self.renderer = self._renderers[resolution]
        checkpoint = tf.train.Checkpoint(
            generator=checkpointable(self.generator.variables),
            average=checkpointable(self.average.variables),
            discriminator=checkpointable(self.discriminator.variables),
            generator_optimizer=checkpointable(self.generator_optimizer.variables),
            discriminator_optimizer=checkpointable(
                self.discriminator_optimizer.variables
            ),
            step=self.step,
        )
        self.checkpoints = tf.train.CheckpointManager(
            checkpoint, str(self.model_dir / "checkpoints"), max_to_keep=2
        )

    def restore(self) -> int:
        """Continues from the newest checkpoint, if there is one.

        Returns:
          The step trained so far.

        Raises:
          UserError: if the checkpoint does not fit the configured models.
        """
        newest = self.checkpoints.latest_checkpoint
        if newest:
            try:
                status = self.checkpoints.checkpoint.restore(newest)
                status.assert_existing_objects_matched()
            except (AssertionError, ValueError) as error:
                raise UserError(
                    f"checkpoint {newest} does not fit this configuration; use the "
                    "run's own config.gin, or another --model_dir"
                ) from error
        return int(self.step.numpy())

    def _fake(self, latent_seed, batch, size):
        """Random scenes, viewpoints and pictures; the seed holds [seed, step]."""
        latents = tf.random.stateless_normal(
            [batch, self.generator.latent_size], latent_seed
        )
        views = self.viewpoints.sample(batch, latent_seed + [1_000_003, 0])
        scene = self.generator(latents, noise_seed=latent_seed + [2_000_003, 0])
        drawn = self._renderers[size](
            scene, views, light_seed=latent_seed + [3_000_003, 0]
        )
        return scene, views, drawn["picture"], drawn["mask"]

    def _replica_step(self, pictures, penalty: bool, size: int, fade):
        with precision.convolutions_in(self._convolutions):
            return self._update(pictures, penalty, size, fade)

    def _update(self, pictures, penalty: bool, size: int, fade):
        """One step of both players on one replica's share of the batch."""
        batch = self.batch_size // self.replicas
        context = tf.distribute.get_replica_context()
        replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
        stream = self.step * self.replicas + replica
        seed = tf.stack([tf.constant(self.seed, tf.int64), stream])
        if size < self.resolution:
            cell = self.resolution // size
            pictures = tf.nn.avg_pool2d(pictures, cell, cell, "VALID")

        def discriminate(seen):
            return self.discriminator(seen, fade)

        # Both players are given the same fake pictures, and move at once.
        with tf.GradientTape(persistent=True) as tape:
            scene, views, fake, masks = self._fake(seed, batch, size)
            fake_scores = discriminate(fake)
            real_scores = discriminate(pictures)
            discriminator_loss = losses.discriminator_loss(real_scores, fake_scores)
            discriminator_total = discriminator_loss
            r1 = tf.zeros([])
            if penalty:
                r1 = losses.gradient_penalty(discriminate, pictures)
                discriminator_total += 0.5 * self.r1_gamma * self.r1_interval * r1
            generator_loss = losses.generator_loss(fake_scores)
            folding, flipped = losses.folding(scene.vertices, self.generator.mesh)
            generator_total = generator_loss + self.folding_weight * folding
            if self.hidden_weight:
                generator_total += self.hidden_weight * losses.hidden_roughness(
                    scene.vertices, views, self.generator.mesh
                )
            # Gradients are summed over the replicas.
            discriminator_total /= self.replicas
            generator_total /= self.replicas
        updates = [
            (self.discriminator, self.discriminator_optimizer, discriminator_total),
            (self.generator, self.generator_optimizer, generator_total),
        ]
        gradients = [
            tape.gradient(total, model.trainable_variables)
            for model, _, total in updates
        ]
        for (model, optimizer, _), gradient in zip(updates, gradients, strict=True):
            variables = model.trainable_variables
            # Layers for larger pictures than these have no gradient yet.
            gradient = [
                tf.zeros(variable.shape) if part is None else part
                for part, variable in zip(gradient, variables, strict=True)
            ]
            optimizer.apply_gradients(zip(gradient, variables, strict=True))
        pairs = zip(self.average.variables, self.generator.variables, strict=True)
        seen = (self.step + 1) * self.batch_size
        moved = 1.0 - decay(seen, self.batch_size, self.ema_pictures)
        for average, current in pairs:
            average.assign(average + moved * (current - average))
        extent = tf.reduce_max(tf.abs(scene.vertices[..., :2]), [1, 2])
        return {
            "discriminator_loss": discriminator_loss,
            "generator_loss": generator_loss,
            "real_score": tf.reduce_mean(real_scores),
            "fake_score": tf.reduce_mean(fake_scores),
            "r1": r1,
            "mask_area": tf.reduce_mean(masks),
            "extent": tf.reduce_mean(extent),
            "flipped_triangles": flipped,
        }

    @tf.function(jit_compile=False)
    def _step(self, pictures, penalty: bool, size: int, fade):
        values = self.strategy.run(
            self._replica_step, args=(pictures, penalty, size, fade)
        )
        self.step.assign_add(1)
        return {
            name: self.strategy.reduce(tf.distribute.ReduceOp.MEAN, value, axis=None)
            for name, value in values.items()
        }

    def train(
        self,
        pictures: PictureSet,
        *,
        should_stop: Callable[[], bool] = lambda: False,
        on_record: Callable[[int, dict[str, float]], None] = lambda step, values: None,
        on_sheet: Callable[[int], dict[str, float]] = lambda step: {},
    ) -> None:
        """Trains until `steps`, or until told to stop; leaves a checkpoint.

        Args:
          pictures: the real ones.
          should_stop: asked after every step.
          on_record: given the step and its values at every record; values include
            `pictures_per_second`, which `metrics.jsonl` leaves out, as it never
            repeats.
          on_sheet: told the step when a sheet is due; what it measures joins the
            record of that step.

        Raises:
          UserError: if a loss is no longer finite; the last checkpoint is kept.
        """
        step = self.restore()
        if step >= self.steps:
            return
        self.model_dir.mkdir(parents=True, exist_ok=True)
        log = MetricsLog(self.model_dir / "metrics.jsonl", step)
        writer = tf.summary.create_file_writer(str(self.model_dir / "events"))
        dataset = pictures.batches(
            self.batch_size, seed=self.seed + step, mirror=self.mirror
        )
        batches = iter(self.strategy.experimental_distribute_dataset(dataset))
        started, counted = time.monotonic(), 0
        last_r1 = 0.0
        with writer.as_default():
            while step < self.steps:
                penalty = step % self.r1_interval == 0
                size, fade = self.growth.at(step * self.batch_size)
                fade = None if fade is None else tf.constant(fade)
                values = self._step(next(batches), penalty, size, fade)
                step, counted = step + 1, counted + self.batch_size
                if penalty:
                    last_r1 = values["r1"]
                stop = should_stop() or step == self.steps
                sheet = step % self.sheet_interval == 0 or stop
                if step % self.log_interval == 0 or sheet:
                    values = {name: float(value) for name, value in values.items()}
                    values["r1"] = float(last_r1)
                    self._check_finite(step, values)
                    if sheet:
                        values |= on_sheet(step)
                    log.write(step, {"pictures": step * self.batch_size, **values})
                    now = time.monotonic()
                    values["pictures_per_second"] = counted / (now - started)
                    started, counted = now, 0
                    for name, value in values.items():
                        tf.summary.scalar(name, value, step=step)
                    on_record(step, values)
                if step % self.checkpoint_interval == 0 or stop:
                    self.checkpoints.save(checkpoint_number=step)
                if sheet:
                    writer.flush()
                if stop:
                    break

    def _check_finite(self, step: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            if value != value or abs(value) == float("inf"):
                raise UserError(
                    f"{name} is {value} at step {step}: training diverged; the last "
                    f"checkpoint is {self.checkpoints.latest_checkpoint}"
                )
