"""Reconstruction of the objects that pictures show."""

import dataclasses
import math
import time
from typing import Literal

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from tf_unsup3d.reconstruction.fitting import Fitter
from tf_unsup3d.reconstruction.flags import (
    Flag,
    limits_on_card,
    measure_fits,
    raise_flags,
)
from tf_unsup3d.reconstruction.losses import LossWeights
from tf_unsup3d.reconstruction.parameters import (
    Parameters,
    estimated_parameters,
    lights_of,
    mean_parameters,
    viewpoints_of,
)
from tf_unsup3d.rendering.lighting import Lights
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.encoder_files import TrainedEncoder
from tf_unsup3d.trained.trained_model import TrainedModel

STEPS = 100
BATCH_SIZE = 16
# Steps that fit the residuals, relative to those before.
_RESIDUAL_PART = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class Reconstruction:
    """The objects that pictures show, as far as the generator can make them.

    Attributes:
      pictures: `[pictures, resolution, resolution, 3]` float32 in [-1, 1].
      fits: The same, drawn of the objects.
      scene: The objects and their backdrops.
      styles: `[pictures, style_size]` float32, the styles of the objects. With
        residuals, the objects are not quite those of the styles.
      viewpoints_degrees: `[pictures, 3]` float32 (yaw, pitch, roll) in degrees.
      light: `[pictures, light_size]` float32 in [0, 1], the parameters of the light;
        see `RandomLamps.lights`.
      lights: The same light as the renderer takes it, or None without lamps.
      errors: `[pictures]` float32, mean absolute difference between the colours of
        picture and fit, from 0 to 1.
      measures: `[pictures]` for each measure that is judged; see `flags.measure_fits`.
        They are taken before residuals, with which anything can be matched.
      limits: The limit of each measure; empty if it was not to be judged.
      flags: The flags of each picture; none for a picture that is explained.
      seconds: Mean time per picture.
    """

    pictures: np.ndarray
    fits: np.ndarray
    scene: Scene
    styles: np.ndarray
    viewpoints_degrees: np.ndarray
    light: np.ndarray
    lights: Lights | None
    errors: np.ndarray
    measures: dict[str, np.ndarray]
    limits: dict[str, float]
    flags: list[tuple[Flag, ...]]
    seconds: float

    def __len__(self) -> int:
        return len(self.pictures)


class Reconstructor:
    """Reconstructs objects from pictures with a generator and its encoder.

    The encoder estimates style, viewpoint and light, from where all of them, and a
    coarse correction of the background, are optimised through the renderer.

    Args:
      model: The model.
      encoder: The encoder; by default the one in the folder of the model.
      weights: Weights of the terms of the loss.

    Raises:
      UserError: There is no encoder in the folder of the model, or it cannot be used.
    """

    def __init__(
        self,
        model: TrainedModel,
        encoder: TrainedEncoder | None = None,
        weights: LossWeights = LossWeights(),
    ):
        self._model = model
        self._encoder = encoder or model.encoder
        network = self._encoder.network
        self._encode = tf.function(network, jit_compile=False, reduce_retracing=True)
        self._fitter = Fitter(model, network, weights)

    def __call__(
        self,
        pictures: np.ndarray,
        *,
        masks: np.ndarray | None = None,
        steps: int = STEPS,
        residual: bool = False,
        start: Literal["encoder", "mean"] = "encoder",
    ) -> Reconstruction:
        """Reconstructs the objects in pictures.

        The result is the same whenever it is computed on the same machine, and does not
        depend on which pictures are reconstructed together, up to rounding.

        Args:
          pictures: `[pictures, size, size, 3]` or `[size, size, 3]`, uint8 or floating
            point in [-1, 1]. They are resized to the resolution of the model.
          masks: `[pictures, size, size]` or `[size, size]` in [0, 1], the part of each
            pixel that shows the object, or None if that is not known.
          steps: Number of steps of the optimisation. With 0, the estimates of the
            encoder are the result.
          residual: Whether smooth and bounded residuals of texture and shape are fitted
            afterwards, so that the picture is matched where the generator cannot.
          start: What the optimisation begins with: the estimates of the encoder, or the
            mean object from the front.

        Returns:
          The reconstruction.

        Raises:
          ValueError: The pictures or masks have the wrong shape, or there are none.
          UserError: The card of the encoder holds no limits.
        """
        limits = limits_on_card(self._encoder.card, steps)
        return self.fit(pictures, limits, masks, steps, residual, start)

    def fit(
        self,
        pictures: np.ndarray,
        limits: dict[str, float],
        masks: np.ndarray | None = None,
        steps: int = STEPS,
        residual: bool = False,
        start: Literal["encoder", "mean"] = "encoder",
    ) -> Reconstruction:
        """Reconstructs with given limits, which may be empty; see `__call__`."""
        pictures = _as_pictures(pictures, self._model.resolution)
        if masks is not None:
            masks = _as_masks(masks, len(pictures), self._model.resolution)
        residual_steps = math.ceil(_RESIDUAL_PART * steps) if residual else 0
        batches = range(0, len(pictures), BATCH_SIZE)
        began = time.perf_counter()
        parts = []
        with tqdm(
            total=len(batches) * (steps + residual_steps),
            desc="reconstruction",
            unit="step",
            # Estimates alone take no time worth a bar.
            disable=None if steps else True,
        ) as bar:
            for first in batches:
                chosen = slice(first, first + BATCH_SIZE)
                part_masks = None if masks is None else tf.constant(masks[chosen])
                parts.append(
                    self._fit_batch(
                        tf.constant(pictures[chosen]),
                        part_masks,
                        (steps, residual_steps),
                        start,
                        bar,
                    )
                )
        parameters, scene, fits, measures = _joined(parts)
        seconds = (time.perf_counter() - began) / len(pictures)
        model = self._model
        viewpoints = viewpoints_of(model, parameters).numpy()
        return Reconstruction(
            pictures=pictures,
            fits=fits,
            scene=scene,
            styles=model.style_distribution.to_styles(parameters.codes).numpy(),
            viewpoints_degrees=np.degrees(viewpoints),
            light=tf.sigmoid(parameters.light).numpy(),
            lights=lights_of(model, parameters),
            errors=0.5 * np.abs(fits - pictures).mean((1, 2, 3)),
            measures=measures,
            limits=limits,
            flags=raise_flags(measures, limits) if limits else [()] * len(pictures),
            seconds=seconds,
        )

    def _fit_batch(
        self,
        pictures: tf.Tensor,
        masks: tf.Tensor | None,
        steps: tuple[int, int],
        start: str,
        bar: tqdm,
    ) -> tuple[Parameters, Scene, np.ndarray, dict[str, np.ndarray]]:
        if start == "encoder":
            parameters = estimated_parameters(self._encode(pictures))
        else:
            parameters = mean_parameters(self._model, len(pictures))
        parameters = self._fitter.fit(
            pictures, parameters, steps[0], masks=masks, progress=bar.update
        )
        scene, drawn = self._fitter.draw(parameters)
        fits = drawn["picture"].numpy()
        measures = measure_fits(pictures.numpy(), fits, parameters.codes.numpy())
        if steps[1]:
            parameters = self._fitter.fit(
                pictures,
                parameters,
                steps[1],
                masks=masks,
                residual=True,
                progress=bar.update,
            )
            scene, drawn = self._fitter.draw(parameters)
        return parameters, scene, drawn["picture"].numpy(), measures


def _joined(
    parts: list[tuple[Parameters, Scene, np.ndarray, dict[str, np.ndarray]]],
) -> tuple[Parameters, Scene, np.ndarray, dict[str, np.ndarray]]:
    """The batches as one."""
    parameters, scenes, fits, measures = zip(*parts, strict=True)
    return (
        Parameters(*(tf.concat(values, 0) for values in zip(*parameters, strict=True))),
        Scene(*(tf.concat(values, 0) for values in zip(*scenes, strict=True))),
        np.concatenate(fits),
        {
            name: np.concatenate([part[name] for part in measures])
            for name in measures[0]
        },
    )


def _as_pictures(pictures: np.ndarray, resolution: int) -> np.ndarray:
    """Pictures `[pictures, resolution, resolution, 3]` float32 in [-1, 1]."""
    pictures = np.asarray(pictures)
    if pictures.ndim == 3:
        pictures = pictures[None]
    if (
        pictures.ndim != 4
        or pictures.shape[-1] != 3
        or pictures.shape[1] != pictures.shape[2]
        or not pictures.size
    ):
        raise ValueError(
            f"pictures must be [pictures, size, size, 3], got {pictures.shape}"
        )
    if pictures.dtype == np.uint8:
        pictures = pictures / np.float32(127.5) - 1.0
    pictures = pictures.astype(np.float32)
    if not np.all(np.abs(pictures) <= 1.0 + 1e-3):
        raise ValueError("pictures must be uint8, or floating point in [-1, 1]")
    return _resized(pictures, resolution)


def _as_masks(masks: np.ndarray, count: int, resolution: int) -> np.ndarray:
    """Masks `[count, resolution, resolution, 1]` float32."""
    masks = np.asarray(masks, np.float32)
    if masks.ndim == 2:
        masks = masks[None]
    if masks.ndim != 3 or len(masks) != count or masks.shape[1] != masks.shape[2]:
        raise ValueError(
            f"masks must be [{count}, size, size] like the pictures, got {masks.shape}"
        )
    return _resized(masks[..., None], resolution)


def _resized(values: np.ndarray, resolution: int) -> np.ndarray:
    if values.shape[1] == resolution:
        return values
    return tf.image.resize(values, [resolution] * 2, antialias=True).numpy()
