"""One adversarial step, which updates both networks on the same rendered pictures."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from tf_unsup3d.compat import checkpointable, variable_name
from tf_unsup3d.errors import refused_as_not_finite
from tf_unsup3d.models import precision
from tf_unsup3d.models.batch_part import BatchPart
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.random_streams import augmentation_keys, random_scenes
from tf_unsup3d.training import losses
from tf_unsup3d.training.batch_division import BatchDivision
from tf_unsup3d.training.guard import Magnitudes, NotFiniteError
from tf_unsup3d.training.moving_average import decay
from tf_unsup3d.training.state import TrainingState


class _Outcome(NamedTuple):
    """What a step returns from its graph.

    Attributes:
      values: Measurements, `[]` each, by name.
      magnitudes: The magnitudes of its tensors.
      finite: `[]` bool, whether all of them are finite.
    """

    values: dict[str, tf.Tensor]
    magnitudes: Magnitudes
    finite: tf.Tensor


# Measurements, `[]` each, by name, and the gradients of all variables.
_PartResult = tuple[dict[str, tf.Tensor], list[tf.Tensor]]


class AdversarialStep:
    """Trains the generator and the discriminator on one batch.

    The batch may be divided among devices, and each device may divide its share again
    (gradient accumulation). The parts consist of whole groups of the discriminator, and
    all randomness is a function of the seed, the step and the position in the batch. So
    the result does not depend on the number of parts, but for rounding.

    Args:
      state: The variables, created in the scope of the strategy.
      configuration: The configuration of the run.
      renderers: A renderer for each resolution of training, by its resolution.
      strategy: The strategy that runs the step on each of its devices.
      division: How the batch is divided among the devices.

    Raises:
      ValueError: The configured precision of convolutions is unknown.
    """

    def __init__(
        self,
        state: TrainingState,
        configuration: Configuration,
        renderers: dict[int, Renderer],
        strategy: tf.distribute.Strategy,
        division: BatchDivision,
    ):
        self._state = state
        self._settings = configuration.training
        self._viewpoints = configuration.viewpoints
        self._resolution = configuration.resolution
        self._learns_viewpoints = configuration.generator["learn_viewpoints"]
        self._renderers = renderers
        self._strategy = strategy
        self._division = division
        self._convolutions = precision.convolution_dtype(
            self._settings.convolution_dtype
        )
        self._gradients: tf.Tensor | None = None

    def run(
        self, pictures: tf.Tensor, penalty: bool, size: int, fade: float | None
    ) -> dict[str, tf.Tensor]:
        """Runs the step.

        Args:
          pictures: The real pictures in [-1, 1], `[share, resolution, resolution, 3]`
            on each device of the strategy; see `BatchDivision.share`.
          penalty: Whether this step includes the gradient penalty.
          size: Height and width of the pictures that this step trains on.
          fade: How far this size has been faded in, in [0, 1), or None if it is not
            being faded in.

        Returns:
          Measurements of the step, `[]` each, by name. `r1` is that of the last step
          with a penalty, or NaN where that is unknown.

        Raises:
          NotFiniteError: A loss, gradient or weight is no longer finite. The variables
            are then of no use.
        """
        try:
            values, gradients = self._compute(
                pictures, penalty, size, None if fade is None else tf.constant(fade)
            )
        except tf.errors.InvalidArgumentError as error:
            # The rasterizer refuses such vertices before there is a loss.
            refused = refused_as_not_finite(error.message)
            if not refused:
                raise
            raise NotFiniteError(f"a number in the {refused} of objects") from error
        outcome = self._update(values, gradients)
        if not outcome.finite:
            outcome.magnitudes.check(list(outcome.values), self._variable_names())
        self._gradients = outcome.magnitudes.gradients
        if penalty:
            self._state.r1.assign(outcome.values["r1"])
        return {**outcome.values, "r1": tf.identity(self._state.r1)}

    def gradient_norms(self) -> dict[str, float]:
        """Returns the norms of both gradients in the last step.

        They follow from what every step measures to find numbers that are not finite.

        Returns:
          Euclidean norms of the gradients of the losses with respect to all weights of
          a network, by name. With several devices, which measure their own shares of
          the batch, the root mean square over the devices. Empty before the first step.
        """
        if self._gradients is None:
            return {}
        halves, norms, start = self._gradients.numpy(), {}, 0
        for model, _ in self._networks():
            end = start + len(model.trainable_variables)
            # Each device has its part of the sum of all.
            norm = self._division.devices * math.sqrt(2.0 * halves[start:end].sum())
            norms[f"{model.name}_gradient"] = norm
            start = end
        return norms

    def _networks(self) -> list[tuple[keras.Model, keras.optimizers.Optimizer]]:
        """Both networks with their optimizers, in the order of their updates."""
        state = self._state
        return [
            (state.discriminator, state.discriminator_optimizer),
            (state.generator, state.generator_optimizer),
        ]

    def _variables(self) -> list[tf.Variable]:
        """The variables that the step trains."""
        return [
            variable
            for model, _ in self._networks()
            for variable in model.trainable_variables
        ]

    def _variable_names(self) -> list[str]:
        return [
            f"{variable_name(variable)} of the {model.name}"
            for model, _ in self._networks()
            for variable in model.trainable_variables
        ]

    @tf.function(autograph=False, jit_compile=False)
    def _compute(
        self, pictures: tf.Tensor, penalty: bool, size: int, fade: tf.Tensor | None
    ) -> _PartResult:
        """Computes measurements and gradients on each device."""
        return self._strategy.run(
            self._compute_on_device, args=(pictures, penalty, size, fade)
        )

    @tf.function(autograph=False, jit_compile=False)
    def _update(
        self, values: dict[str, tf.Tensor], gradients: list[tf.Tensor]
    ) -> _Outcome:
        """Updates all variables.

        It has a graph of its own, so that it is built once and not for each resolution,
        with and without the penalty: it is half of all there is to build.
        """
        values, magnitudes = tf.nest.map_structure(
            # It is the same on all replicas.
            lambda value: self._strategy.experimental_local_results(value)[0],
            self._strategy.run(self._update_on_device, args=(values, gradients)),
        )
        self._update_average()
        self._state.step.assign_add(1)
        return _Outcome(values, magnitudes, magnitudes.all_finite())

    def _compute_on_device(
        self, pictures: tf.Tensor, penalty: bool, size: int, fade: tf.Tensor | None
    ) -> _PartResult:
        """Computes one replica's share of the batch."""
        with precision.convolutions_in(self._convolutions):
            return self._means_over_parts(pictures, penalty, size, fade)

    def _update_on_device(
        self, values: dict[str, tf.Tensor], gradients: list[tf.Tensor]
    ) -> tuple[dict[str, tf.Tensor], Magnitudes]:
        """Updates the networks with the gradients of all replicas.

        Returns:
          The measurements and magnitudes, as means over all replicas.
        """
        # Those from another graph have no device yet, where they are to be added up.
        gradients = [tf.identity(gradient) for gradient in gradients]
        self._update_networks(gradients)
        magnitudes = Magnitudes.of(values.values(), gradients, self._variables())
        if self._division.devices > 1:
            context = tf.distribute.get_replica_context()
            mean = tf.distribute.ReduceOp.MEAN
            magnitudes = Magnitudes(*context.all_reduce(mean, list(magnitudes)))
            means = tf.unstack(magnitudes.losses)
            values = dict(zip(values, means, strict=True))
        return values, magnitudes

    def _means_over_parts(
        self, pictures: tf.Tensor, penalty: bool, size: int, fade: tf.Tensor | None
    ) -> _PartResult:
        """Computes the parts of a replica's share of the batch, one after the other."""
        context = tf.distribute.get_replica_context()
        device = tf.convert_to_tensor(context.replica_id_in_sync_group)
        count = self._division.parts_per_device

        def compute(number: int | tf.Tensor) -> _PartResult:
            part = self._division.part(device, number)
            own = self._division.from_share(pictures, number)
            return self._compute_part(own, part, penalty, size, fade)

        def add(number: tf.Tensor, sums: _PartResult) -> tuple[tf.Tensor, _PartResult]:
            return number + 1, tf.nest.map_structure(tf.add, sums, compute(number))

        sums = compute(0)
        if count == 1:
            return sums
        # In a loop, so that only one part at a time takes memory.
        _, sums = tf.while_loop(
            lambda number, sums: number < count, add, (1, sums), parallel_iterations=1
        )
        return tf.nest.map_structure(lambda value: value / count, sums)

    def _compute_part(
        self,
        pictures: tf.Tensor,
        part: BatchPart,
        penalty: bool,
        size: int,
        fade: tf.Tensor | None,
    ) -> _PartResult:
        """Computes measurements, and the gradients of both losses."""
        with tf.GradientTape(persistent=True) as tape:
            values, totals = self._forward(pictures, part, penalty, size, fade)
        gradients = []
        for (model, _), total in zip(self._networks(), totals, strict=True):
            variables = model.trainable_variables
            # Layers for a higher resolution than this one have no gradient yet.
            gradients += [
                tf.zeros(variable.shape) if gradient is None else gradient
                for gradient, variable in zip(
                    tape.gradient(total, variables), variables, strict=True
                )
            ]
        return values, gradients

    def _forward(
        self,
        pictures: tf.Tensor,
        part: BatchPart,
        penalty: bool,
        size: int,
        fade: tf.Tensor | None,
    ) -> tuple[dict[str, tf.Tensor], list[tf.Tensor]]:
        """Computes measurements, and the losses of discriminator and generator."""
        state, settings = self._state, self._settings
        if size < self._resolution:
            cell = self._resolution // size
            pictures = tf.nn.avg_pool2d(pictures, cell, cell, "VALID")

        batch, renderer = settings.batch_size, self._renderers[size]
        of_real, of_drawn = augmentation_keys(self._key())

        def discriminate(seen: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
            if settings.augmentation:
                parameters = settings.augmentation.sample_parameters(batch, key)
                seen = settings.augmentation.apply(seen, part.of(parameters))
            return state.discriminator(seen, fade)

        spread = state.generator.viewpoint_spread()
        scene, views, light_seed, framing = random_scenes(
            state.generator,
            self._viewpoints,
            batch,
            self._key(),
            spread,
            part,
            settings.style_mixing,
        )
        lights = None
        if renderer.lamps is not None and part.count > 1:
            parameters = renderer.lamps.sample_parameters(batch, light_seed)
            lights = renderer.lamps.lights(part.of(parameters))
        drawn = renderer(
            scene, views, light_seed=light_seed, lights=lights, framing=framing
        )
        fake_scores = discriminate(drawn["picture"], of_drawn)
        real_scores = discriminate(pictures, of_real)

        discriminator_terms = {
            "discriminator_loss": losses.discriminator_loss(real_scores, fake_scores),
            # The same measurements with and without, for the graph of the update.
            "r1": losses.gradient_penalty(
                lambda seen: discriminate(seen, of_real), pictures
            )
            if penalty
            else tf.zeros([]),
        }
        folding, flipped = losses.folding(scene.vertices, state.generator.mesh)
        generator_terms = {
            "generator_loss": losses.generator_loss(fake_scores),
            "folding": folding,
        }
        if settings.hidden_weight:
            generator_terms["hidden_roughness"] = losses.hidden_roughness(
                scene.vertices, views, state.generator.mesh
            )
        weights = {
            # Applied only at every `r1_interval`-th step, it is that much stronger.
            "r1": 0.5 * settings.r1_gamma * settings.r1_interval,
            "folding": settings.folding_weight,
            "hidden_roughness": settings.hidden_weight,
        }
        extent = tf.reduce_max(tf.abs(scene.vertices[..., :2]), [1, 2])
        values = {
            **discriminator_terms,
            **generator_terms,
            "real_score": tf.reduce_mean(real_scores),
            "fake_score": tf.reduce_mean(fake_scores),
            "mask_area": tf.reduce_mean(drawn["mask"]),
            "extent": tf.reduce_mean(extent),
            "flipped_triangles": flipped,
        }
        if self._learns_viewpoints:
            for axis, name in enumerate(("yaw", "pitch", "roll")):
                values[f"{name}_spread"] = spread[axis]
        totals = [
            # Gradients are added up over the replicas.
            losses.weighted_sum(terms, weights) / self._division.devices
            for terms in (discriminator_terms, generator_terms)
        ]
        return values, totals

    def _key(self) -> tf.Tensor:
        """The key `[2]` int64 of all randomness in this step."""
        return tf.stack([tf.constant(self._settings.seed, tf.int64), self._state.step])

    def _update_networks(self, gradients: Sequence[tf.Tensor]) -> None:
        """Applies the gradients, added up over the replicas."""
        remaining = iter(gradients)
        for model, optimizer in self._networks():
            variables = model.trainable_variables
            optimizer.apply_gradients(
                [(next(remaining), variable) for variable in variables]
            )

    def _update_average(self) -> None:
        state, settings = self._state, self._settings
        seen = (state.step + 1) * settings.batch_size
        moved = 1.0 - decay(seen, settings.batch_size, settings.ema_pictures)

        def move(average: tf.Variable, current: tf.Tensor, moved: tf.Tensor) -> None:
            average.assign(average + moved * (current - average))

        for average, current in zip(
            checkpointable(state.average.variables),
            checkpointable(state.generator.variables),
            strict=True,
        ):
            self._strategy.extended.update(average, move, args=(current, moved))
