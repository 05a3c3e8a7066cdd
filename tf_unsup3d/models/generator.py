"""The generator: random vectors to scenes."""

import keras
import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.sphere import octahedral_sphere, uv_to_direction
from tf_unsup3d.models.checks import check_range, check_resolution
from tf_unsup3d.models.mapping import Mapping
from tf_unsup3d.models.shape_pyramid import (
    back_pole_window,
    close_back_pole,
    fix_size,
    mirror,
    sample_vertices,
    sum_pyramid,
)
from tf_unsup3d.models.synthesis import Synthesis
from tf_unsup3d.rendering.scene import Scene


@keras.saving.register_keras_serializable(package="tf_unsup3d")
class Generator(keras.Model):
    """G(z) = shape, texture and background (paper, section 4).

    Sizes and depths are bounded, so that a configuration from elsewhere cannot ask for
    more memory than any generator of use needs.

    Args:
      latent_size: of the random vector.
      style_size: of the style.
      mapping_depth: layers of the mapping network.
      texture_resolution: of the texture map.
      background_resolution: of the background.
      shape_resolution: of the finest level of the shape pyramid.
      shape_map_size: resolution that the levels are upsampled to and summed at.
      level_weights: of the levels of the pyramid, coarse to fine; the last one also
        serves the levels beyond. Open in the paper; falling weights keep the fine
        levels small.
      subdivisions: of the sphere mesh.
      radius: RMS radius of every object (the size constraint, open in the paper).
      size_constraint: whether that radius is imposed.
      max_offset: largest distance of an object's centre from the origin.
      max_stretch: bound of its proportions; see `fix_size`.
      symmetric_shape: whether shapes are made their own mirror image.
      symmetric_texture: whether textures are.
      channel_base: channels at a resolution are this divided by it,
      channel_max: but at most this many.

    Raises:
      ValueError: A parameter is out of range.
    """

    def __init__(
        self,
        latent_size: int = 128,
        style_size: int = 128,
        mapping_depth: int = 4,
        texture_resolution: int = 64,
        background_resolution: int = 64,
        shape_resolution: int = 16,
        shape_map_size: int = 64,
        level_weights: tuple[float, ...] = (0.05, 0.03, 0.02),
        subdivisions: int = 32,
        radius: float = 0.65,
        size_constraint: bool = True,
        max_offset: float = 0.3,
        max_stretch: float = 1.35,
        symmetric_shape: bool = True,
        symmetric_texture: bool = False,
        channel_base: int = 1024,
        channel_max: int = 128,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, size in (
            ("texture_resolution", texture_resolution),
            ("background_resolution", background_resolution),
            ("shape_resolution", shape_resolution),
        ):
            check_resolution(name, size)
        for name, value, largest in (
            ("latent_size", latent_size, 4096),
            ("style_size", style_size, 4096),
            ("mapping_depth", mapping_depth, 64),
            ("shape_map_size", shape_map_size, 1024),
            ("subdivisions", subdivisions, 512),
            ("channel_base", channel_base, 2**20),
            ("channel_max", channel_max, 4096),
        ):
            check_range(name, value, 1, largest)
        check_range("radius", radius, 1e-3, 1e3)
        check_range("max_offset", max_offset, 0.0, 1e3)
        check_range("max_stretch", max_stretch, 1.0 + 1e-6, 1e3)
        if not level_weights:
            raise ValueError("level_weights must hold one number at least")
        self._config = dict(
            latent_size=latent_size,
            style_size=style_size,
            mapping_depth=mapping_depth,
            texture_resolution=texture_resolution,
            background_resolution=background_resolution,
            shape_resolution=shape_resolution,
            shape_map_size=shape_map_size,
            level_weights=tuple(level_weights),
            subdivisions=subdivisions,
            radius=radius,
            size_constraint=size_constraint,
            max_offset=max_offset,
            max_stretch=max_stretch,
            symmetric_shape=symmetric_shape,
            symmetric_texture=symmetric_texture,
            channel_base=channel_base,
            channel_max=channel_max,
        )
        self.latent_size = latent_size
        self.mesh = octahedral_sphere(subdivisions)
        self.mapping = Mapping(style_size, mapping_depth)
        self.object_synthesis = Synthesis(
            texture_resolution, shape_resolution, channel_base, channel_max
        )
        self.background_synthesis = Synthesis(
            background_resolution, 0, channel_base // 2, channel_max // 2
        )
        centres = (np.arange(shape_map_size) + 0.5) / shape_map_size
        grid = np.stack(np.meshgrid(centres, centres), -1)
        self._window = back_pole_window(shape_map_size)
        self._base = (radius * uv_to_direction(grid)).astype(np.float32)

    def build(self, input_shape):
        self.mapping.build(input_shape)
        style_shape = [None, self._config["style_size"]]
        self.object_synthesis.build(style_shape)
        self.background_synthesis.build(style_shape)
        self.built = True

    def get_config(self) -> dict:
        return {**super().get_config(), **self._config}

    def styles(self, latents: tf.Tensor) -> tf.Tensor:
        """[batch, latent_size] to [batch, style_size]."""
        return self.mapping(latents)

    def synthesize(self, styles: tf.Tensor, noise_seed: tf.Tensor | None = None):
        """Makes scenes of styles.

        Args:
          styles: [batch, style_size].
          noise_seed: [2] integer, or None for no noise.

        Returns:
          A `Scene` of `batch` objects.
        """
        config = self._config
        texture, maps = self.object_synthesis(styles, noise_seed)
        background, _ = self.background_synthesis(styles, noise_seed)
        weights = list(config["level_weights"][: len(maps)])
        weights += weights[-1:] * (len(maps) - len(weights))
        shape_map = sum_pyramid(maps, weights, config["shape_map_size"])
        if config["symmetric_shape"]:
            shape_map = 0.5 * (shape_map + mirror(shape_map))
        if config["symmetric_texture"]:
            texture = 0.5 * (texture + tf.reverse(texture, [2]))
        shape_map = self._base + close_back_pole(shape_map, self._window)
        vertices = sample_vertices(shape_map, self.mesh)
        if config["size_constraint"]:
            vertices = fix_size(
                vertices,
                config["radius"],
                config["max_offset"],
                config["max_stretch"],
            )
        return Scene(vertices, tf.tanh(texture), tf.tanh(background))

    def call(self, latents, noise_seed=None) -> Scene:
        """[batch, latent_size] to a `Scene`; see `synthesize`."""
        return self.synthesize(self.styles(latents), noise_seed)
