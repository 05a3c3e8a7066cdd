"""The generator, which turns random vectors into scenes."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.sphere import octahedral_sphere, uv_to_direction
from tf_unsup3d.models.back_pole import (
    back_pole_window,
    close_back_pole,
    close_texture,
)
from tf_unsup3d.models.back_smoothing import BackSmoothing
from tf_unsup3d.models.batch_part import WHOLE_BATCH, BatchPart
from tf_unsup3d.models.checks import check_range, check_resolution
from tf_unsup3d.models.flat_base import cut_below
from tf_unsup3d.models.mapping import Mapping
from tf_unsup3d.models.shape_pyramid import mirror, sample_vertices, sum_pyramid
from tf_unsup3d.models.size_constraint import bound_width, fix_size
from tf_unsup3d.models.synthesis import Synthesis
from tf_unsup3d.models.viewpoint_spread import ViewpointSpread
from tf_unsup3d.rendering.scene import Scene


@keras.saving.register_keras_serializable(package="tf_unsup3d")
class Generator(keras.Model):
    """G(z): the shape, texture and background of an object (paper, section 4).

    A mapping network turns a latent vector into a style, from which one synthesis
    network makes texture and shape, and another one of half as many channels makes the
    background. docs/method.md explains the choices that the paper leaves open.

    Sizes are bounded, so that a configuration of unknown origin cannot ask for more
    memory than a useful generator needs.

    Args:
      latent_size: Length of the latent vectors.
      style_size: Length of the styles.
      mapping_depth: Number of layers of the mapping network.
      texture_resolution: Height and width of the texture in texels, a power of two
        from 4 to 1024.
      background_resolution: Height and width of the background in pixels, a power of
        two from 4 to 1024.
      shape_resolution: Height and width of the finest level of the shape pyramid, a
        power of two from 4 to 1024. Levels finer than the texture are left out. By
        default there are only coarse levels, as fine ones crumple the surface.
      shape_map_size: Height and width of the shape map, to which the levels of the
        pyramid are enlarged.
      level_weights: Scales of the levels of the pyramid, from coarse to fine; the last
        one also serves the levels beyond. The paper leaves them open. They fall, so
        that fine levels change the surface less and more slowly.
      subdivisions: Number of segments of an octahedron edge in the sphere mesh; see
        `octahedral_sphere`. The default makes 8,192 triangles.
      front_magnification: Magnification of the maps of shape and texture at the front
        pole, from 1 to 8, which gives a face more texels; see
        `sphere.direction_to_uv`. 1 is the map of the paper.
      radius: RMS distance of the vertices of an object from their centre; see
        `fix_size`. By default there is a margin around objects in pictures that just
        hold the unit ball, as those of the default camera do.
      fixed_depth: Whether `fix_size` sets the depth of objects alone, which suits
        objects whose widths differ more than their depths, as heads with hair do.
      size_constraint: Whether `fix_size` is applied. Without it, nothing but the
        pictures determines the size of an object.
      max_offset: Largest distance of the centre of an object from the origin.
      max_stretch: Bound of the proportions of an object; see `fix_size`.
      max_width: Bound of the width of an object; see `bound_width`. 0 leaves it open.
      cut_below: Height at which objects end in a flat base, as y, which points down and
        is 1 at the lower edge of pictures; see `flat_base.cut_below`. 0 leaves them
        whole.
      symmetric_shape: Whether shapes are their own mirror images.
      symmetric_texture: Whether textures are their own mirror images. By default they
        are not, because light and hair may fall on one side.
      closed_back: Whether the map is closed around the back pole, which it shows as a
        circle: textures fade to one colour there, and the surface is smooth; see
        `back_pole.close_texture`.
      back_smoothing: Number of rounds, at most 100, in which the surface of the back is
        smoothed; see `BackSmoothing`. 0 leaves it as it is.
      channel_base: Number of channels of the object's synthesis network at a
        resolution, times that resolution. The default gives 16 channels at 64 x 64
        texels, which a processor can train.
      channel_max: Largest number of channels of that network at any resolution. The
        network of the background has half as many in both respects.
      background_channel_min: Smallest number of channels of the network of the
        background at any resolution.
      learn_viewpoints: Whether the spread of the viewpoints is learned with the
        generator; see `viewpoint_spread`.

    Attributes:
      latent_size: Length of the latent vectors.
      mesh: The mesh of all objects.
      mapping: The mapping network.
      object_synthesis: The network of texture and shape.
      background_synthesis: The network of the background.
      learned_spread: The learned spread of the viewpoints; None if it is not learned.

    Raises:
      ValueError: An argument is out of range.
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
        front_magnification: float = 1.0,
        radius: float = 0.65,
        fixed_depth: bool = False,
        size_constraint: bool = True,
        max_offset: float = 0.3,
        max_stretch: float = 1.35,
        max_width: float = 0.0,
        cut_below: float = 0.0,
        symmetric_shape: bool = True,
        symmetric_texture: bool = False,
        closed_back: bool = False,
        back_smoothing: int = 0,
        channel_base: int = 1024,
        channel_max: int = 128,
        background_channel_min: int = 1,
        learn_viewpoints: bool = False,
        **kwargs: Any,
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
            ("subdivisions", subdivisions, 512),
            ("channel_base", channel_base, 2**20),
            ("channel_max", channel_max, 4096),
            ("background_channel_min", background_channel_min, 4096),
        ):
            check_range(name, value, 1, largest)
        check_range("shape_map_size", shape_map_size, 2, 1024)
        check_range("back_smoothing", back_smoothing, 0, 100)
        check_range("front_magnification", front_magnification, 1.0, 8.0)
        check_range("radius", radius, 1e-3, 1e3)
        check_range("max_offset", max_offset, 0.0, 1e3)
        check_range("max_width", max_width, 0.0, 1e3)
        check_range("cut_below", cut_below, 0.0, 1e3)
        check_range("max_stretch", max_stretch, 1.0 + 1e-6, 1e3)
        if not level_weights:
            raise ValueError("level_weights must hold at least one number")
        self._config: dict[str, Any] = dict(
            latent_size=latent_size,
            style_size=style_size,
            mapping_depth=mapping_depth,
            texture_resolution=texture_resolution,
            background_resolution=background_resolution,
            shape_resolution=shape_resolution,
            shape_map_size=shape_map_size,
            level_weights=tuple(level_weights),
            subdivisions=subdivisions,
            front_magnification=front_magnification,
            radius=radius,
            fixed_depth=fixed_depth,
            size_constraint=size_constraint,
            max_offset=max_offset,
            max_stretch=max_stretch,
            max_width=max_width,
            cut_below=cut_below,
            symmetric_shape=symmetric_shape,
            symmetric_texture=symmetric_texture,
            closed_back=closed_back,
            back_smoothing=back_smoothing,
            channel_base=channel_base,
            channel_max=channel_max,
            background_channel_min=background_channel_min,
            learn_viewpoints=learn_viewpoints,
        )
        self.latent_size = latent_size
        self.mesh = octahedral_sphere(subdivisions, front_magnification)
        self._smooth_back = (
            BackSmoothing(self.mesh, back_smoothing) if back_smoothing else None
        )
        self.mapping = Mapping(style_size, mapping_depth)
        self.object_synthesis = Synthesis(
            texture_resolution, shape_resolution, channel_base, channel_max
        )
        self.background_synthesis = Synthesis(
            background_resolution,
            0,
            channel_base // 2,
            channel_max // 2,
            background_channel_min,
        )
        # Older weights have no spread.
        self.learned_spread = ViewpointSpread() if learn_viewpoints else None
        centres = (np.arange(shape_map_size) + 0.5) / shape_map_size
        grid = np.stack(np.meshgrid(centres, centres), -1)
        self._window = back_pole_window(shape_map_size, front_magnification)
        base = uv_to_direction(grid, front_magnification)
        self._base = (radius * base).astype(np.float32)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Creates the weights."""
        self.mapping.build(input_shape)
        style_shape = [None, self._config["style_size"]]
        self.object_synthesis.build(style_shape)
        self.background_synthesis.build(style_shape)
        if self.learned_spread is not None:
            self.learned_spread.build()
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments by name."""
        return {**super().get_config(), **self._config}

    def styles(self, latents: tf.Tensor) -> tf.Tensor:
        """Computes the styles of latent vectors.

        Args:
          latents: `[batch, latent_size]`, normally distributed.

        Returns:
          `[batch, style_size]`.
        """
        return self.mapping(latents)

    @property
    def levels(self) -> int:
        """Number of levels of the larger one of the synthesis networks."""
        networks = self.object_synthesis, self.background_synthesis
        return max(len(network.sizes) for network in networks)

    def viewpoint_spread(self) -> tf.Tensor:
        """Computes the factors by which the configured viewpoints are scaled.

        Returns:
          `[3]` factors of yaw, pitch and roll; 1 unless they are learned.
        """
        ones = tf.ones([3])
        return ones if self.learned_spread is None else self.learned_spread(ones)

    def synthesize(
        self,
        styles: tf.Tensor,
        noise_seed: tf.Tensor | None = None,
        part: BatchPart = WHOLE_BATCH,
    ) -> Scene:
        """Makes the objects and backgrounds of styles.

        Args:
          styles: `[batch, style_size]`, or `[batch, levels, style_size]` with a style
            for each level, from coarse to fine.
          noise_seed: `[2]` integer seed of the noise in texture and background, or
            None for no noise. Levels of the same size have the same noise in both.
          part: The part that the styles are of the batch whose noise has this seed.

        Returns:
          The scene of `batch` objects.
        """
        config = self._config
        texture, maps = self.object_synthesis(styles, noise_seed, part=part)
        background, _ = self.background_synthesis(styles, noise_seed, part=part)
        weights = list(config["level_weights"][: len(maps)])
        weights += weights[-1:] * (len(maps) - len(weights))
        shape_map = sum_pyramid(maps, weights, config["shape_map_size"])
        if config["symmetric_shape"]:
            shape_map = 0.5 * (shape_map + mirror(shape_map))
        if config["symmetric_texture"]:
            texture = 0.5 * (texture + tf.reverse(texture, [2]))
        if config["closed_back"]:
            texture = close_texture(texture, config["front_magnification"])
        displacement = close_back_pole(shape_map, self._window)
        sphere = (config["radius"] * self.mesh.directions).astype(np.float32)
        if config["closed_back"]:
            # At the border of the map, samples of the sphere itself would coincide.
            vertices = sphere + sample_vertices(displacement, self.mesh)
        else:
            vertices = sample_vertices(self._base + displacement, self.mesh)
        if self._smooth_back is not None:
            vertices = sphere + self._smooth_back(vertices - sphere)
        if config["size_constraint"]:
            vertices = fix_size(
                vertices,
                config["radius"],
                config["max_offset"],
                config["max_stretch"],
                config["fixed_depth"],
            )
        if config["max_width"]:
            vertices = bound_width(vertices, config["max_width"])
        if config["cut_below"]:
            vertices = cut_below(vertices, config["cut_below"])
        return Scene(vertices, tf.tanh(texture), tf.tanh(background))

    def call(
        self,
        latents: tf.Tensor,
        noise_seed: tf.Tensor | None = None,
        part: BatchPart = WHOLE_BATCH,
    ) -> Scene:
        """Makes the objects and backgrounds of latent vectors.

        Args:
          latents: `[batch, latent_size]`, normally distributed.
          noise_seed: See `synthesize`.
          part: See `synthesize`.

        Returns:
          The scene of `batch` objects.
        """
        return self.synthesize(self.styles(latents), noise_seed, part)
