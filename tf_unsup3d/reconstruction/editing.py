"""Changes to what was reconstructed: turn it, light it, mix it, move it."""

import dataclasses

import numpy as np
import tensorflow as tf

from tf_unsup3d.reconstruction.reconstructor import Reconstruction
from tf_unsup3d.rendering.lighting import Lights
from tf_unsup3d.trained.trained_model import TrainedModel


def draw(
    model: TrainedModel,
    reconstruction: Reconstruction,
    *,
    turn_degrees: tuple[float, float, float] = (0.0, 0.0, 0.0),
    lights: Lights | None = None,
    resolution: int | None = None,
) -> np.ndarray:
    """Draws reconstructed objects, turned or in another light, framed as they were.

    Args:
      model: The model.
      reconstruction: The objects.
      turn_degrees: Yaw, pitch and roll that are added to those of each picture.
      lights: The light of each picture, such as one from `lighting.lamp`; by default
        that of the pictures.
      resolution: Height and width of the result in pixels; by default that of training.

    Returns:
      `[pictures, resolution, resolution, 3]` in [-1, 1].
    """
    renderer = model.renderer
    if resolution is not None:
        renderer = renderer.replace(resolution=resolution)
    viewpoints = np.radians(reconstruction.viewpoints_degrees + np.array(turn_degrees))
    return renderer(
        reconstruction.scene,
        tf.constant(viewpoints, tf.float32),
        outputs=("picture",),
        lights=reconstruction.lights if lights is None else lights,
        framing=reconstruction.framing,
    )["picture"].numpy()


def with_styles(
    model: TrainedModel, reconstruction: Reconstruction, styles: np.ndarray
) -> Reconstruction:
    """Replaces the objects by those of other styles.

    Viewpoints and lights stay. Residuals and the correction of the background, which
    belong to a picture, are left out.

    Args:
      model: The model.
      reconstruction: The objects, whose viewpoints and lights are kept.
      styles: `[pictures, style_size]`; see `mix` and `move`.

    Returns:
      The reconstruction with other styles and objects; what tells how well pictures
      were matched remains that of `reconstruction`.
    """
    scene = model.synthesize(tf.constant(styles, tf.float32))
    return dataclasses.replace(reconstruction, styles=styles, scene=scene)


def mix(first: np.ndarray, second: np.ndarray, weight: float = 0.5) -> np.ndarray:
    """Mixes styles.

    Args:
      first: `[pictures, style_size]`.
      second: `[pictures, style_size]`.
      weight: Weight of `second`, usually from 0 to 1.

    Returns:
      `[pictures, style_size]`.
    """
    return first + weight * (second - first)


def move(
    model: TrainedModel, styles: np.ndarray, axis: int, deviations: float
) -> np.ndarray:
    """Moves styles along a principal axis of the generator's styles.

    Args:
      model: The model.
      styles: `[pictures, style_size]`.
      axis: Number of the axis; 0 is the one along which styles differ most.
      deviations: How far, in standard deviations of the styles along the axis.

    Returns:
      `[pictures, style_size]`.
    """
    distribution = model.style_distribution
    step = deviations * distribution.deviations[axis] * distribution.axes[axis]
    return styles + step
