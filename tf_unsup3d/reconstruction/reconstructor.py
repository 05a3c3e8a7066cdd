"""Reconstruction of the objects that pictures show."""

import dataclasses
import math
import time
from collections.abc import Sequence
from typing import Literal, TypeVar

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from tf_unsup3d.reconstruction.encoder_sizes import check_encoder
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
    to_framing,
    viewpoints_of,
)
from tf_unsup3d.rendering.framing import Framing
from tf_unsup3d.rendering.lighting import Lights
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.encoder_files import TrainedEncoder
from tf_unsup3d.trained.trained_model import TrainedModel

STEPS = 100
BATCH_SIZE = 16
# Steps that fit the residuals, relative to those before.
_RESIDUAL_PART = 0.5


def residual_steps(steps: int) -> int:
    """Computes how many steps fit the residuals.

    Args:
      steps: Number of steps of the optimisation before.

    Returns:
      Half as many, rounded up.
    """
    return math.ceil(_RESIDUAL_PART * steps)


@dataclasses.dataclass(frozen=True, eq=False)
class Reconstruction:
    """The objects that pictures show, as far as the generator can make them.

    Attributes:
      pictures: `[pictures, resolution, resolution, 3]` float32 in [-1, 1].
      fits: The same, drawn of the objects.
      parameters: What was fitted.
      scene: The objects and their backdrops.
      styles: `[pictures, style_size]` float32, the styles of the objects. With
        residuals, the objects are not quite those of the styles.
      viewpoints_degrees: `[pictures, 3]` float32 (yaw, pitch, roll) in degrees.
      framing: How the pictures are moved and enlarged, compared with those of the
        generator's training.
      light: `[pictures, light_size]` float32 in [0, 1], the parameters of the light;
        see `RandomLamps.lights`.
      lights: The same light as the renderer takes it, or None without lamps.
      errors: `[pictures]` float32, mean absolute difference between the colours of
        picture and fit, from 0 to 1.
      measures: `[pictures]` for each measure that is judged; see `flags.measure_fits`.
        They are taken before residuals, with which anything can be matched.
      limits: The limit of each measure; empty if they were not to be judged.
      flags: The flags of each picture; none for a picture that is explained.
      seconds: Mean time per picture.
    """

    pictures: np.ndarray
    fits: np.ndarray
    parameters: Parameters
    scene: Scene
    styles: np.ndarray
    viewpoints_degrees: np.ndarray
    framing: Framing
    light: np.ndarray
    lights: Lights | None
    errors: np.ndarray
    measures: dict[str, np.ndarray]
    limits: dict[str, float]
    flags: list[tuple[Flag, ...]]
    seconds: float

    def __len__(self) -> int:
        return len(self.pictures)

    def take(self, chosen: slice) -> "Reconstruction":
        """Selects pictures by a slice."""
        return dataclasses.replace(
            self,
            pictures=self.pictures[chosen],
            fits=self.fits[chosen],
            parameters=_taken(self.parameters, chosen),
            scene=_taken(self.scene, chosen),
            styles=self.styles[chosen],
            viewpoints_degrees=self.viewpoints_degrees[chosen],
            framing=_taken(self.framing, chosen),
            light=self.light[chosen],
            lights=self.lights and _taken(self.lights, chosen),
            errors=self.errors[chosen],
            measures={name: value[chosen] for name, value in self.measures.items()},
            flags=self.flags[chosen],
        )


class Reconstructor:
    """Reconstructs objects from pictures with a generator and its encoder.

    The encoder estimates style, viewpoint, framing and light, from where all of them,
    and a coarse correction of the background, are optimised through the renderer.

    The result is the same whenever it is computed on the same machine, and does not
    depend on which pictures are reconstructed together, up to rounding.

    Args:
      model: The model.
      encoder: The encoder; by default the one in the folder of the model.
      weights: Weights of the terms of the loss.

    Raises:
      UserError: There is no encoder in the folder of the model, or it cannot be used
        with the model.
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
        check_encoder(network, model)
        self._encode = tf.function(
            network, autograph=False, jit_compile=False, reduce_retracing=True
        )
        self._fitter = Fitter(model, weights)

    def __call__(
        self,
        pictures: np.ndarray,
        *,
        masks: np.ndarray | None = None,
        steps: int = STEPS,
        residual: bool = False,
    ) -> Reconstruction:
        """Reconstructs the objects in pictures, and flags what is not explained.

        Args:
          pictures: `[pictures, size, size, 3]` or `[size, size, 3]`, uint8 or floating
            point in [-1, 1]. They are resized to the resolution of the model.
          masks: `[pictures, size, size]` or `[size, size]` in [0, 1], the part of each
            pixel that shows the object, or None if that is not known.
          steps: Number of steps of the optimisation. With 0, the estimates of the
            encoder are the result.
          residual: Whether residuals are fitted afterwards, in half as many steps; see
            `refine`.

        Returns:
          The reconstruction.

        Raises:
          ValueError: The pictures or masks have the wrong shape, or there are none; or
            residuals are to be fitted in no steps.
          UserError: The card of the encoder does not hold all limits.
        """
        if residual and steps < 1:
            raise ValueError(f"residuals need at least 1 step, got steps={steps}")
        limits = limits_on_card(self._encoder.card, steps)
        fitted = self.fit(pictures, masks=masks, steps=steps)
        flags = raise_flags(fitted.measures, limits)
        fitted = dataclasses.replace(fitted, limits=limits, flags=flags)
        if not residual:
            return fitted
        return self.refine(fitted, residual_steps(steps), masks=masks)

    def fit(
        self,
        pictures: np.ndarray,
        *,
        masks: np.ndarray | None = None,
        steps: int = STEPS,
        start: Literal["encoder", "mean"] = "encoder",
    ) -> Reconstruction:
        """Reconstructs without judging the result.

        Args:
          pictures: See `__call__`.
          masks: See `__call__`.
          steps: Number of steps of the optimisation.
          start: What the optimisation begins with: the estimates of the encoder, or the
            mean object from the front.

        Returns:
          The reconstruction, without limits and flags.

        Raises:
          ValueError: The pictures or masks have the wrong shape, or there are none.
        """
        pictures = _as_pictures(pictures, self._model.resolution)
        began = time.perf_counter()
        if start == "encoder":
            parts = [
                estimated_parameters(self._encode(tf.constant(pictures[batch])))
                for batch in _batches(len(pictures))
            ]
            parameters = _joined(parts)
        else:
            parameters = mean_parameters(self._model, len(pictures))
        found = self._run(pictures, masks, parameters, steps, residual=False)
        seconds = (time.perf_counter() - began) / len(pictures)
        return dataclasses.replace(found, seconds=seconds)

    def refine(
        self,
        reconstruction: Reconstruction,
        steps: int,
        *,
        masks: np.ndarray | None = None,
    ) -> Reconstruction:
        """Fits residuals, so that pictures are matched where the generator cannot.

        What is added to texture and shape is smooth and bounded. Everything else moves
        along slowly, but for the background.

        Args:
          reconstruction: What to begin with.
          steps: Number of steps of the optimisation.
          masks: See `__call__`.

        Returns:
          The reconstruction with residuals. Measures and flags are those of
          `reconstruction`.

        Raises:
          ValueError: The masks have the wrong shape.
        """
        began = time.perf_counter()
        pictures, parameters = reconstruction.pictures, reconstruction.parameters
        found = self._run(pictures, masks, parameters, steps, residual=True)
        seconds = (time.perf_counter() - began) / len(pictures)
        return dataclasses.replace(
            found,
            measures=reconstruction.measures,
            limits=reconstruction.limits,
            flags=reconstruction.flags,
            seconds=reconstruction.seconds + seconds,
        )

    def _run(
        self,
        pictures: np.ndarray,
        masks: np.ndarray | None,
        parameters: Parameters,
        steps: int,
        residual: bool,
    ) -> Reconstruction:
        """Optimises batch by batch; the result has no limits and no time."""
        if masks is not None:
            masks = _as_masks(masks, len(pictures), self._model.resolution)
        batches = _batches(len(pictures))
        fitted, scenes, drawings = [], [], []
        with tqdm(
            total=len(batches) * steps,
            desc="residuals" if residual else "reconstruction",
            unit="step",
            disable=None if steps else True,
        ) as bar:
            for batch in batches:
                part = self._fitter.fit(
                    tf.constant(pictures[batch]),
                    _taken(parameters, batch),
                    steps,
                    masks=None if masks is None else tf.constant(masks[batch]),
                    residual=residual,
                    progress=bar.update,
                )
                scene, drawn = self._fitter.draw(part)
                fitted.append(part)
                scenes.append(scene)
                drawings.append(drawn)
        return self._reconstruction(
            pictures,
            {
                name: np.concatenate([drawn[name] for drawn in drawings])
                for name in drawings[0]
            },
            _joined(fitted),
            _joined(scenes),
        )

    def _reconstruction(
        self,
        pictures: np.ndarray,
        drawn: dict[str, np.ndarray],
        parameters: Parameters,
        scene: Scene,
    ) -> Reconstruction:
        model, fits = self._model, drawn["picture"]
        return Reconstruction(
            pictures=pictures,
            fits=fits,
            parameters=parameters,
            scene=scene,
            styles=model.style_distribution.to_styles(parameters.codes).numpy(),
            viewpoints_degrees=np.degrees(viewpoints_of(model, parameters).numpy()),
            framing=to_framing(parameters.framing),
            light=tf.sigmoid(parameters.light).numpy(),
            lights=lights_of(model, parameters),
            errors=0.5 * np.abs(fits - pictures).mean((1, 2, 3)),
            measures=measure_fits(
                pictures,
                fits,
                masks=drawn["mask"],
                backdrops=drawn["backdrop"],
                codes=parameters.codes.numpy(),
            ),
            limits={},
            flags=[()] * len(pictures),
            seconds=0.0,
        )


def _batches(count: int) -> list[slice]:
    return [slice(first, first + BATCH_SIZE) for first in range(0, count, BATCH_SIZE)]


_Tensors = TypeVar("_Tensors", Parameters, Scene, Lights, Framing)


def _joined(parts: Sequence[_Tensors]) -> _Tensors:
    """Named tuples of tensors, joined along the batch."""
    joined = (tf.concat(values, 0) for values in zip(*parts, strict=True))
    return type(parts[0])(*joined)


def _taken(values: _Tensors, chosen: slice) -> _Tensors:
    """A named tuple of tensors, some of which may be missing, of some pictures."""
    return type(values)(*(None if value is None else value[chosen] for value in values))


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
