"""The Keras layer that draws scenes from viewpoints."""

import dataclasses
import math

import keras
import tensorflow as tf

from tf_unsup3d.geometry.mesh import vertex_normals
from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.geometry.viewpoints import rotate, rotation_matrices
from tf_unsup3d.rendering.background import crop_background
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.rendering.lighting import RandomLamps, brightness
from tf_unsup3d.rendering.render_mesh import render_mesh
from tf_unsup3d.rendering.scene import Scene


@keras.saving.register_keras_serializable(package="tf_unsup3d")
class Renderer(keras.layers.Layer):
    """Draws scenes on the sphere mesh; nothing in it is trained.

    It renders in float32 under a policy of mixed precision too: half precision has no
    room for the position of a point within its pixel.

    Args:
      resolution: height and width of the pictures.
      subdivisions: of the sphere mesh that the scenes' vertices belong to.
      margin: width of the soft layer in pixels; 0 switches it off (paper, section 4).
      depth_push: see `render_mesh`.
      background_coverage: how many pictures fit side by side into a backdrop.
      background_extent: yaw and pitch in degrees at which the view reaches the
        backdrop's border. (0, 0) keeps it still.
      lamps: the light of the pictures; None shows textures as they are.
      backend: "op" or "reference".
    """

    def __init__(
        self,
        resolution: int = 64,
        subdivisions: int = 32,
        margin: float = 1.0,
        depth_push: float = 0.02,
        background_coverage: float = 1.5,
        background_extent: tuple[float, float] = (60.0, 15.0),
        lamps: RandomLamps | dict | None = None,
        backend: str = "op",
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        # A dict is how Keras hands a configuration back.
        self.lamps = RandomLamps(**lamps) if isinstance(lamps, dict) else lamps
        self._config = dict(
            resolution=resolution,
            subdivisions=subdivisions,
            margin=margin,
            depth_push=depth_push,
            background_coverage=background_coverage,
            background_extent=tuple(background_extent),
            lamps=self.lamps and dataclasses.asdict(self.lamps),
            backend=backend,
        )
        self.resolution = resolution
        self.mesh = octahedral_sphere(subdivisions)
        self.camera = PinholeCamera()

    def get_config(self) -> dict:
        return {**super().get_config(), **self._config}

    def backdrop(self, scene: Scene, viewpoints: tf.Tensor) -> tf.Tensor:
        """[batch, resolution, resolution, 3] the part of the background in view."""
        yaw, pitch = self._config["background_extent"]
        return crop_background(
            scene.background,
            viewpoints,
            (math.radians(yaw), math.radians(pitch)),
            self.resolution,
            self._config["background_coverage"],
        )

    def _draw(self, vertices, texture, attributes, background):
        pixels = self.camera.project(vertices, self.resolution, self.resolution)
        picture, _ = render_mesh(
            pixels,
            self.mesh.triangles,
            self.mesh.neighbors,
            self.mesh.uv,
            self.mesh.uv_triangles,
            texture,
            attributes,
            background,
            margin=self._config["margin"],
            depth_push=self._config["depth_push"],
            backend=self._config["backend"],
        )
        return picture

    def call(
        self, scene: Scene, viewpoints: tf.Tensor, light_seed: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Draws each scene from its viewpoint.

        Args:
          scene: of `batch` objects.
          viewpoints: [batch, 3] (yaw, pitch, roll) in radians.
          light_seed: [2] integer, of the random lamps; None lights all alike. Without
            lamps it does nothing.

        Returns:
          Pictures [batch, resolution, resolution, 3] in [-1, 1] and masks
          [batch, resolution, resolution, 1], the object's part of each pixel.
        """
        scene, viewpoints = _in_single_precision(scene, viewpoints)
        vertices = rotate(scene.vertices, rotation_matrices(viewpoints))
        background = self.backdrop(scene, viewpoints)
        ones = tf.ones_like(vertices[..., :1])
        if self.lamps is None:
            background = tf.pad(background, [[0, 0], [0, 0], [0, 0], [0, 1]])
            drawn = self._draw(vertices, scene.texture, ones, background)
            return drawn[..., :3], drawn[..., 3:]
        batch = tf.shape(vertices)[0]
        if light_seed is None:
            lights = self.lamps.middle(batch)
        else:
            lights = self.lamps.sample(batch, light_seed)
        light = brightness(vertex_normals(vertices, self.mesh.triangles), lights)
        drawn = self._draw(
            vertices,
            # Black is 0 here, for light to be a factor.
            0.5 + 0.5 * scene.texture,
            tf.concat([light, ones], -1),
            tf.zeros([batch, self.resolution, self.resolution, 5]),
        )
        colours, light, masks = tf.split(drawn, [3, 1, 1], -1)
        lit = colours * tf.math.divide_no_nan(light, masks)
        return 2.0 * lit - masks + (1.0 - masks) * background, masks

    def maps(
        self, scene: Scene, viewpoints: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Draws the geometry of each scene.

        Args:
          scene: of `batch` objects.
          viewpoints: [batch, 3] (yaw, pitch, roll) in radians.

        Returns:
          Unit normals in camera space [batch, resolution, resolution, 3], depth from
          the camera [batch, resolution, resolution, 1] and mask [batch, resolution,
          resolution, 1]; normals and depth are 0 where the mask is.
        """
        scene, viewpoints = _in_single_precision(scene, viewpoints)
        vertices = rotate(scene.vertices, rotation_matrices(viewpoints))
        normals = vertex_normals(vertices, self.mesh.triangles)
        depth = vertices[..., 2:] + self.camera.distance
        attributes = tf.concat([normals, depth, tf.ones_like(depth)], -1)
        size = [tf.shape(vertices)[0], self.resolution, self.resolution]
        drawn = self._draw(
            vertices,
            tf.zeros([size[0], 1, 1, 0]),
            attributes,
            tf.zeros([*size, 5]),
        )
        mask = drawn[..., 4:]
        # Soft pixels are mixed with the zero background.
        depth = tf.math.divide_no_nan(drawn[..., 3:4], mask)
        return tf.math.l2_normalize(drawn[..., :3], -1), depth, mask


def _in_single_precision(
    scene: Scene, viewpoints: tf.Tensor
) -> tuple[Scene, tf.Tensor]:
    scene = Scene(*(tf.cast(value, tf.float32) for value in scene))
    return scene, tf.cast(viewpoints, tf.float32)
