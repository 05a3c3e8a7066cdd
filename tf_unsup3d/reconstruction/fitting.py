"""Optimisation through the renderer, of all pictures of a batch at once."""

from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf

from tf_unsup3d.reconstruction.losses import (
    LossWeights,
    pixel_loss,
    prior_loss,
)
from tf_unsup3d.reconstruction.parameters import (
    Parameters,
    lights_of,
    mean_parameters,
    scene_of,
    to_framing,
    viewpoints_of,
)
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.trained_model import TrainedModel

# Constants of Adam (Kingma and Ba 2015). The second moments follow quickly, because
# there are only about a hundred steps.
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.99, 1e-8
# Learning rates in the first step; they fall to zero along a cosine.
_RATES = Parameters(
    codes=0.05,
    angles=0.03,
    framing=0.1,
    light=0.05,
    backdrop=0.05,
    texture=0.0,
    shape=0.0,
)
_RESIDUAL_RATES = Parameters(
    codes=0.01,
    angles=0.005,
    framing=0.01,
    light=0.01,
    backdrop=0.05,
    texture=0.05,
    shape=0.03,
)


class _Moments(NamedTuple):
    """The state of Adam."""

    first: Parameters
    second: Parameters


class Fitter:
    """Fits the parameters of scenes to pictures.

    Each picture is fitted by itself, whichever others are in its batch: its loss has no
    part in theirs, and Adam treats every number by itself.

    Args:
      model: The model whose objects are fitted.
      weights: Weights of the terms of the loss.
    """

    def __init__(
        self,
        model: TrainedModel,
        weights: LossWeights = LossWeights(),
    ):
        self._model = model
        self._weights = weights
        # One graph serves all sizes of batches, as it takes seconds to make.
        batches = tf.nest.map_structure(
            lambda value: tf.TensorSpec([None, *value.shape[1:]]),
            mean_parameters(model, 1),
        )
        size = model.resolution
        picture, mask = (tf.TensorSpec([None, size, size, n]) for n in (3, 1))
        number, rates = tf.TensorSpec([]), tf.TensorSpec([len(_RATES)])
        self._step = tf.function(
            self._take_step,
            autograph=False,
            jit_compile=False,
            input_signature=[
                *(batches, _Moments(batches, batches)),
                *(number, rates, picture, mask, number),
            ],
        )
        self._graph = tf.function(
            self._draw, autograph=False, jit_compile=False, input_signature=[batches]
        )

    def draw(self, parameters: Parameters) -> tuple[Scene, dict[str, tf.Tensor]]:
        """Makes the objects of parameters and draws them.

        Args:
          parameters: The parameters of `batch` pictures.

        Returns:
          The objects, and what the renderer draws: "picture" and "mask", and the
          "backdrop" without the objects.
        """
        return self._graph(parameters)

    def fit(
        self,
        pictures: tf.Tensor,
        start: Parameters,
        steps: int,
        *,
        masks: tf.Tensor | None = None,
        residual: bool = False,
        progress: Callable[[], object] = lambda: None,
    ) -> Parameters:
        """Optimises the parameters of a batch.

        Args:
          pictures: `[batch, resolution, resolution, 3]` in [-1, 1].
          start: The parameters to begin with.
          steps: Number of steps.
          masks: `[batch, resolution, resolution, 1]`, the part of each pixel that shows
            the object, or None.
          residual: Whether the residuals of texture and shape are fitted, too; the
            other parameters but the background then move slowly.
          progress: Function that is called after each step.

        Returns:
          The parameters.
        """
        rates = _RESIDUAL_RATES if residual else _RATES
        zeros = Parameters(*(tf.zeros_like(value) for value in start))
        moments = _Moments(zeros, zeros)
        parameters = start
        mask_weight = tf.constant(0.0 if masks is None else self._weights.mask)
        if masks is None:
            masks = tf.zeros_like(pictures[..., :1])
        schedule = keras.optimizers.schedules.CosineDecay(1.0, max(1, steps))
        for step in range(steps):
            scale = tf.stack(rates) * schedule(step)
            number = tf.constant(step + 1.0)
            parameters, moments = self._step(
                parameters, moments, number, scale, pictures, masks, mask_weight
            )
            progress()
        return parameters

    def _draw(self, parameters: Parameters) -> tuple[Scene, dict[str, tf.Tensor]]:
        model = self._model
        scene = scene_of(model, parameters)
        viewpoints = viewpoints_of(model, parameters)
        framing = to_framing(parameters.framing)
        drawn = model.renderer(
            scene,
            viewpoints,
            outputs=("picture", "mask"),
            lights=lights_of(model, parameters),
            framing=framing,
        )
        backdrop = model.renderer.backdrop(scene, viewpoints, framing)
        return scene, {**drawn, "backdrop": backdrop}

    def _loss(
        self,
        parameters: Parameters,
        pictures: tf.Tensor,
        masks: tf.Tensor,
        mask_weight: tf.Tensor,
    ) -> tf.Tensor:
        _, drawn = self._draw(parameters)
        losses = pixel_loss(drawn["picture"], pictures)
        losses += mask_weight * pixel_loss(drawn["mask"], masks)
        losses += prior_loss(self._model, parameters, self._weights)
        return tf.reduce_sum(losses)

    def _take_step(
        self,
        parameters: Parameters,
        moments: _Moments,
        step: tf.Tensor,
        rates: tf.Tensor,
        pictures: tf.Tensor,
        masks: tf.Tensor,
        mask_weight: tf.Tensor,
    ) -> tuple[Parameters, _Moments]:
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            loss = self._loss(parameters, pictures, masks, mask_weight)
        gradients = tape.gradient(
            loss, parameters, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        results, firsts, seconds = [], [], []
        for index, (value, gradient, first, second) in enumerate(
            zip(parameters, gradients, *moments, strict=True)
        ):
            first += (1.0 - _BETA_1) * (gradient - first)
            second += (1.0 - _BETA_2) * (tf.square(gradient) - second)
            mean = first / (1.0 - _BETA_1**step)
            size = tf.sqrt(second / (1.0 - _BETA_2**step))
            results.append(value - rates[index] * mean / (size + _EPSILON))
            firsts.append(first)
            seconds.append(second)
        return Parameters(*results), _Moments(Parameters(*firsts), Parameters(*seconds))
