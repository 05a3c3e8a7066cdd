"""One adversarial step, which updates both networks on the same rendered pictures."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from tf_unsup3d.compat import variable_name
from tf_unsup3d.models import precision
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.random_streams import random_scenes
from tf_unsup3d.training import losses
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


class AdversarialStep:
    """Trains the generator and the discriminator on one batch.

    All randomness is a function of the seed, the step and the number of devices.

    Args:
      state: The variables, created in the scope of the strategy.
      configuration: The configuration of the run.
      renderers: A renderer for each resolution of training, by its resolution.
      strategy: The strategy that runs the step on each of its devices.

    Raises:
      ValueError: The configured precision of convolutions is unknown.
    """

    def __init__(
        self,
        state: TrainingState,
        configuration: Configuration,
        renderers: dict[int, Renderer],
        strategy: tf.distribute.Strategy,
    ):
        self._state = state
        self._settings = configuration.training
        self._viewpoints = configuration.viewpoints
        self._resolution = configuration.resolution
        self._learns_viewpoints = configuration.generator["learn_viewpoints"]
        self._renderers = renderers
        self._strategy = strategy
        self._replicas = strategy.num_replicas_in_sync
        self._convolutions = precision.convolution_dtype(
            self._settings.convolution_dtype
        )

    def run(
        self, pictures: tf.Tensor, penalty: bool, size: int, fade: float | None
    ) -> dict[str, tf.Tensor]:
        """Runs the step.

        Args:
          pictures: `[batch, resolution, resolution, 3]` real pictures in [-1, 1],
            distributed by the strategy.
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
            outcome = self._run(
                pictures, penalty, size, None if fade is None else tf.constant(fade)
            )
        except tf.errors.InvalidArgumentError as error:
            # The rasterizer refuses such vertices before there is a loss.
            refused = re.search(r"(\w+) must be finite", error.message)
            if not refused:
                raise
            raise NotFiniteError(f"a number in the {refused[1]} of objects") from error
        if not outcome.finite:
            outcome.magnitudes.check(list(outcome.values), self._variable_names())
        return {**outcome.values, "r1": tf.identity(self._state.r1)}

    def _variables(self) -> list[tf.Variable]:
        """The variables that the step trains."""
        state = self._state
        return [
            *state.discriminator.trainable_variables,
            *state.generator.trainable_variables,
        ]

    def _variable_names(self) -> list[str]:
        state = self._state
        return [
            f"{variable_name(variable)} of the {part}"
            for part, model in (
                ("discriminator", state.discriminator),
                ("generator", state.generator),
            )
            for variable in model.trainable_variables
        ]

    @tf.function(jit_compile=False)
    def _run(
        self, pictures: tf.Tensor, penalty: bool, size: int, fade: tf.Tensor | None
    ) -> _Outcome:
        values, magnitudes = self._strategy.run(
            self._replica_step, args=(pictures, penalty, size, fade)
        )
        self._state.step.assign_add(1)
        mean = tf.distribute.ReduceOp.MEAN
        values, magnitudes = tf.nest.map_structure(
            lambda value: self._strategy.reduce(mean, value, axis=None),
            (values, magnitudes),
        )
        if penalty:
            self._state.r1.assign(values["r1"])
        return _Outcome(values, magnitudes, magnitudes.all_finite())

    def _replica_step(
        self, pictures: tf.Tensor, penalty: bool, size: int, fade: tf.Tensor | None
    ) -> tuple[dict[str, tf.Tensor], Magnitudes]:
        """Runs the step on one replica's share of the batch."""
        with precision.convolutions_in(self._convolutions):
            with tf.GradientTape(persistent=True) as tape:
                values, totals = self._forward(pictures, penalty, size, fade)
            gradients = self._update_networks(tape, totals)
        self._update_average()
        return values, Magnitudes.of(values.values(), gradients, self._variables())

    def _forward(
        self, pictures: tf.Tensor, penalty: bool, size: int, fade: tf.Tensor | None
    ) -> tuple[dict[str, tf.Tensor], list[tf.Tensor]]:
        """Computes measurements, and the losses of discriminator and generator."""
        state, settings = self._state, self._settings
        if size < self._resolution:
            cell = self._resolution // size
            pictures = tf.nn.avg_pool2d(pictures, cell, cell, "VALID")

        def discriminate(seen: tf.Tensor) -> tf.Tensor:
            return state.discriminator(seen, fade)

        batch = settings.batch_size // self._replicas
        spread = state.generator.viewpoint_spread()
        scene, views, light_seed = random_scenes(
            state.generator, self._viewpoints, batch, self._key(), spread
        )
        drawn = self._renderers[size](scene, views, light_seed=light_seed)
        fake_scores = discriminate(drawn["picture"])
        real_scores = discriminate(pictures)

        discriminator_terms = {
            "discriminator_loss": losses.discriminator_loss(real_scores, fake_scores),
        }
        if penalty:
            discriminator_terms["r1"] = losses.gradient_penalty(discriminate, pictures)
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
            # Gradients are summed over the replicas.
            losses.weighted_sum(terms, weights) / self._replicas
            for terms in (discriminator_terms, generator_terms)
        ]
        return values, totals

    def _key(self) -> tf.Tensor:
        """The key `[2]` int64 of all randomness in this step on this replica."""
        context = tf.distribute.get_replica_context()
        replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
        stream = self._state.step * self._replicas + replica
        return tf.stack([tf.constant(self._settings.seed, tf.int64), stream])

    def _update_networks(
        self, tape: tf.GradientTape, totals: Sequence[tf.Tensor]
    ) -> list[tf.Tensor]:
        """Applies the gradients of both losses, and returns them."""
        state = self._state
        networks: tuple[tuple[keras.Model, keras.optimizers.Optimizer], ...] = (
            (state.discriminator, state.discriminator_optimizer),
            (state.generator, state.generator_optimizer),
        )
        gradients = []
        for (model, _), total in zip(networks, totals, strict=True):
            variables = model.trainable_variables
            # Layers for a higher resolution than this one have no gradient yet.
            gradients.append(
                [
                    tf.zeros(variable.shape) if part is None else part
                    for part, variable in zip(
                        tape.gradient(total, variables), variables, strict=True
                    )
                ]
            )
        for (model, optimizer), parts in zip(networks, gradients, strict=True):
            optimizer.apply_gradients(
                zip(parts, model.trainable_variables, strict=True)
            )
        return [part for parts in gradients for part in parts]

    def _update_average(self) -> None:
        state, settings = self._state, self._settings
        seen = (state.step + 1) * settings.batch_size
        moved = 1.0 - decay(seen, settings.batch_size, settings.ema_pictures)
        for average, current in zip(
            state.average.variables, state.generator.variables, strict=True
        ):
            average.assign(average + moved * (current - average))
