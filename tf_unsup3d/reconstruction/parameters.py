"""What is fitted to a picture, and the scene that it stands for."""

import math
from typing import NamedTuple

import tensorflow as tf

from tf_unsup3d.models.back_pole import back_pole_window, close_back_pole
from tf_unsup3d.models.encoder import Encoded
from tf_unsup3d.models.shape_pyramid import mirror, sample_vertices, sum_pyramid
from tf_unsup3d.reconstruction.samples import light_size
from tf_unsup3d.rendering.framing import Framing
from tf_unsup3d.rendering.lighting import Lights
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.trained_model import TrainedModel

# Unit of an angle that does not vary, or hardly, in the generator's training.
_LEAST_UNIT_DEGREES = 5.0
# Units of how pictures are moved, in parts of their width, and of the logarithm of how
# they are enlarged. Faces that a detector has aligned are off by less than one.
_SHIFT_UNIT = 0.06
_SCALE_UNIT = 0.12
# Height and width of the maps that are added to the generator's, which are smooth
# because they are enlarged.
_BACKDROP_SIZE = 8
_TEXTURE_SIZE = 32
_SHAPE_SIZE = 16
# Bounds of what they add: to colours in [-1, 1], and to vertices relative to the RMS
# distance of the vertices from their middle.
_BACKDROP_BOUND = 0.5
_TEXTURE_BOUND = 0.5
_SHAPE_BOUND = 0.1


class Parameters(NamedTuple):
    """All that is fitted to each picture of a batch, unbounded and of similar size.

    Attributes:
      codes: `[batch, style_size]`; see `StyleDistribution`.
      angles: `[batch, 3]` yaw, pitch and roll in units of `angle_units`.
      framing: `[batch, 3]`, how the picture is moved (right, down) and enlarged; see
        `to_framing`.
      light: `[batch, light_size]` logits of the parameters of the light; see
        `RandomLamps.lights`.
      backdrop: `[batch, 8, 8, 3]`, a correction of the generator's background.
      texture: `[batch, 32, 32, 3]`, the residual of the texture.
      shape: `[batch, 16, 16, 3]`, the residual of the shape map.
    """

    codes: tf.Tensor
    angles: tf.Tensor
    framing: tf.Tensor
    light: tf.Tensor
    backdrop: tf.Tensor
    texture: tf.Tensor
    shape: tf.Tensor


def angle_units(model: TrainedModel) -> tf.Tensor:
    """The units `[3]` of yaw, pitch and roll in radians.

    They are the largest angles of the generator's training, or 5 degrees if that is
    more.
    """
    limits = (max(limit, _LEAST_UNIT_DEGREES) for limit in model.viewpoints.limits)
    return tf.constant([math.radians(limit) for limit in limits], tf.float32)


def estimated_parameters(encoded: Encoded) -> Parameters:
    """The parameters that an encoder estimates, without corrections and residuals."""
    return _without_residuals(*encoded)


def mean_parameters(model: TrainedModel, count: int) -> Parameters:
    """The mean object from the front in the light from the middle of the ranges."""
    style_size = len(model.style_distribution.mean)
    return _without_residuals(
        tf.zeros([count, style_size]),
        tf.zeros([count, 3]),
        tf.zeros([count, 3]),
        tf.zeros([count, light_size(model)]),
    )


def _without_residuals(
    codes: tf.Tensor, angles: tf.Tensor, framing: tf.Tensor, light: tf.Tensor
) -> Parameters:
    count = tf.shape(codes)[0]
    backdrop, texture, shape = (
        tf.zeros([count, size, size, 3])
        for size in (_BACKDROP_SIZE, _TEXTURE_SIZE, _SHAPE_SIZE)
    )
    return Parameters(codes, angles, framing, light, backdrop, texture, shape)


def viewpoints_of(model: TrainedModel, parameters: Parameters) -> tf.Tensor:
    """The viewpoints `[batch, 3]` (yaw, pitch, roll) of parameters, in radians."""
    return parameters.angles * angle_units(model)


def to_framing(values: tf.Tensor) -> Framing:
    """Makes a framing of numbers of similar size.

    Args:
      values: `[batch, 3]`; 0 is the framing of the generator's training. The first two
        move the picture right and down, in units of 0.06 of its width; the third is the
        logarithm of how much it is enlarged, in units of 0.12.

    Returns:
      The framing.
    """
    return Framing(_SHIFT_UNIT * values[:, :2], tf.exp(_SCALE_UNIT * values[:, 2]))


def from_framing(framing: Framing) -> tf.Tensor:
    """The inverse of `to_framing`."""
    scale = tf.math.log(framing.scale)[:, None] / _SCALE_UNIT
    return tf.concat([framing.shift / _SHIFT_UNIT, scale], -1)


def lights_of(model: TrainedModel, parameters: Parameters) -> Lights | None:
    """The lights of parameters, or None for a model without lamps."""
    lamps = model.renderer.lamps
    return lamps.lights(tf.sigmoid(parameters.light)) if lamps else None


def scene_of(model: TrainedModel, parameters: Parameters) -> Scene:
    """Makes the objects and backdrops that parameters stand for.

    Args:
      model: The model.
      parameters: The parameters of `batch` pictures.

    Returns:
      The scene of `batch` objects.
    """
    scene = model.synthesize(model.style_distribution.to_styles(parameters.codes))
    backdrop = tf.image.resize(parameters.backdrop, scene.background.shape[1:3])
    texture = tf.image.resize(parameters.texture, scene.texture.shape[1:3])
    return Scene(
        scene.vertices + _displacements(model, parameters.shape),
        _added(scene.texture, texture, _TEXTURE_BOUND),
        _added(scene.background, backdrop, _BACKDROP_BOUND),
    )


def _added(colours: tf.Tensor, residual: tf.Tensor, bound: float) -> tf.Tensor:
    return tf.clip_by_value(colours + bound * tf.tanh(residual), -1.0, 1.0)


def _displacements(model: TrainedModel, residual: tf.Tensor) -> tf.Tensor:
    """What the residual of the shape adds to the vertices, `[batch, vertices, 3]`."""
    config = model.generator.get_config()
    size = config["shape_map_size"]
    displacement = sum_pyramid([tf.tanh(residual)], [_SHAPE_BOUND], size)
    if config["symmetric_shape"]:
        displacement = 0.5 * (displacement + mirror(displacement))
    window = back_pole_window(size, config["front_magnification"])
    displacement = close_back_pole(displacement, window)
    return config["radius"] * sample_vertices(displacement, model.mesh)
