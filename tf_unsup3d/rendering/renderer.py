"""The Keras layer that draws scenes from viewpoints."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.normals import vertex_normals
from tf_unsup3d.geometry.sphere import SphereMesh, sphere_of_size
from tf_unsup3d.geometry.viewpoints import rotate, rotation_matrices
from tf_unsup3d.rendering.backends import BACKENDS
from tf_unsup3d.rendering.background import crop_background
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.rendering.framing import Framing
from tf_unsup3d.rendering.lighting import Lights, RandomLamps, brightness
from tf_unsup3d.rendering.render_mesh import render_mesh
from tf_unsup3d.rendering.scene import Scene

OUTPUTS = ("picture", "mask", "depth", "normals")
_LARGEST_RESOLUTION = 8192


@keras.saving.register_keras_serializable(package="tf_unsup3d")
class Renderer(keras.layers.Layer):
    """Draws scenes on the sphere mesh; nothing in it is trained.

    It renders in float32 under a policy of mixed precision too: half precision has no
    room for the position of a point within its pixel.

    Args:
      resolution: Height and width of the pictures in pixels.
      front_magnification: Magnification of the texture's map at the front pole; that
        of the generator.
      camera: The camera, before which the object is turned.
      pivot: The point of object space that objects turn about, which the camera shows
        in the middle of its picture. Objects in pictures that are framed around them
        turn about their middle, the origin; faces in aligned portraits turn about a
        point between the eyes.
      margin: Width of the soft layer in pixels, finite and at least 0, which switches
        it off (paper, section 4).
      depth_push: Part of its depth by which the soft layer recedes, finite and at least
        0; see `render_mesh`.
      mipmaps: Whether the texture is sampled from mipmaps; see `render_mesh`. It helps
        where the texture is finer than the picture.
      background_coverage: Number of pictures that fit side by side into a backdrop.
      background_range: Yaw and pitch in degrees at which the view reaches the border
        of the backdrop. (0, 0) keeps it still.
      lamps: The lamps that light the pictures. None shows textures as they are.
      backend: "op" or "portable"; see `render_mesh`.

    Raises:
      ValueError: An argument is out of range; the message names it.
    """

    # Keras would compile with XLA, which has no kernels of the rasteriser's ops.
    supports_jit = False

    def __init__(
        self,
        resolution: int = 64,
        front_magnification: float = 1.0,
        camera: PinholeCamera | dict = PinholeCamera(),
        pivot: tuple[float, float, float] = (0.0, 0.0, 0.0),
        margin: float = 1.0,
        depth_push: float = 0.02,
        mipmaps: bool = False,
        background_coverage: float = 1.5,
        background_range: tuple[float, float] = (60.0, 15.0),
        lamps: RandomLamps | dict | None = None,
        backend: str = "op",
        **kwargs: Any,
    ):
        super().__init__(autocast=False, **kwargs)
        if not 1 <= resolution <= _LARGEST_RESOLUTION:
            raise ValueError(
                f"resolution must be from 1 to {_LARGEST_RESOLUTION}, got {resolution}"
            )
        for name, value in (("margin", margin), ("depth_push", depth_push)):
            if not 0.0 <= value < math.inf:
                raise ValueError(f"{name} must be finite and at least 0, got {value}")
        if not background_coverage >= 1.0:
            raise ValueError(
                f"background_coverage must be at least 1, got {background_coverage}"
            )
        if len(background_range) != 2 or min(background_range) < 0.0:
            raise ValueError(
                "background_range must be two angles that are not negative, got "
                f"{background_range}"
            )
        if len(pivot) != 3 or not np.isfinite(pivot).all():
            raise ValueError(f"pivot must be three finite numbers, got {pivot}")
        if backend not in BACKENDS:
            raise ValueError(f"backend must be one of {BACKENDS}, got {backend!r}")
        # A dict is how Keras hands a configuration back.
        self.camera = PinholeCamera(**camera) if isinstance(camera, dict) else camera
        self.lamps = RandomLamps(**lamps) if isinstance(lamps, dict) else lamps
        self.resolution = resolution
        self.front_magnification = front_magnification
        self.pivot = pivot
        self._config: dict[str, Any] = dict(
            resolution=resolution,
            front_magnification=front_magnification,
            pivot=tuple(pivot),
            margin=margin,
            depth_push=depth_push,
            mipmaps=mipmaps,
            background_coverage=background_coverage,
            background_range=tuple(background_range),
            backend=backend,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments by name, as values that JSON has."""
        values = {
            "camera": dataclasses.asdict(self.camera),
            "lamps": self.lamps and dataclasses.asdict(self.lamps),
        }
        return {**super().get_config(), **self._config, **values}

    def replace(self, **changes: Any) -> "Renderer":
        """Makes another renderer that differs in some constructor arguments.

        Args:
          **changes: The arguments that change.

        Returns:
          The other renderer.
        """
        return type(self).from_config({**self.get_config(), **changes})

    def backdrop(
        self, scene: Scene, viewpoints: tf.Tensor, framing: Framing | None = None
    ) -> tf.Tensor:
        """Crops the part of the background that is in view.

        Args:
          scene: `batch` objects and their backgrounds.
          viewpoints: `[batch, 3]` (yaw, pitch, roll) in radians.
          framing: See `call`.

        Returns:
          `[batch, resolution, resolution, 3]`.
        """
        yaw, pitch = self._config["background_range"]
        return crop_background(
            scene.background,
            viewpoints,
            (math.radians(yaw), math.radians(pitch)),
            self.resolution,
            self._config["background_coverage"],
            framing,
        )

    def call(
        self,
        scene: Scene,
        viewpoints: tf.Tensor,
        light_seed: tf.Tensor | None = None,
        outputs: Sequence[str] = ("picture", "mask"),
        lights: Lights | None = None,
        framing: Framing | None = None,
    ) -> dict[str, tf.Tensor]:
        """Draws each scene from its viewpoint.

        Args:
          scene: `batch` objects and their backgrounds, of a known number of vertices.
          viewpoints: `[batch, 3]` (yaw, pitch, roll) in radians.
          light_seed: `[2]` integer seed of the random lamps. None lights all pictures
            alike. Without lamps it does nothing.
          outputs: Names of what to compute, among "picture", "mask", "depth" and
            "normals".
          lights: The light of each picture, whatever lamps there are and whatever
            `light_seed` is; see `RandomLamps.lights`. None leaves it to the lamps.
          framing: How each picture is moved and enlarged; by default, it is as the
            camera has it.

        Returns:
          By these names:
            picture: `[batch, resolution, resolution, 3]` in [-1, 1].
            mask: `[batch, resolution, resolution, 1]`, the part of each pixel that
              shows the object.
            depth: `[batch, resolution, resolution, 1]`, the distance along the axis of
              the camera; 0 where the mask is 0.
            normals: `[batch, resolution, resolution, 3]`, unit vectors in camera space;
              0 where the mask is 0.

        Raises:
          ValueError: An output is unknown, or the number of vertices is unknown or
            that of no sphere mesh.
        """
        for name in outputs:
            if name not in OUTPUTS:
                known = ", ".join(map(repr, OUTPUTS))
                raise ValueError(f"unknown output {name!r}, there are {known}")
        scene = Scene(*(tf.cast(value, tf.float32) for value in scene))
        viewpoints = tf.cast(viewpoints, tf.float32)
        count = scene.vertices.shape[1]
        if count is None:
            raise ValueError("the number of vertices of a scene must be known")
        mesh = sphere_of_size(count, self.front_magnification)
        about_pivot = scene.vertices - tf.constant(self.pivot, tf.float32)
        vertices = rotate(about_pivot, rotation_matrices(viewpoints))
        pixels = self.camera.project(
            vertices, self.resolution, self.resolution, backend=self._config["backend"]
        )
        if framing is not None:
            pixels = framing.move_pixels(pixels, self.resolution)
        if "picture" not in outputs:
            lights = None
        elif lights is None and self.lamps is not None:
            lights = _choose_lights(self.lamps, tf.shape(vertices)[0], light_seed)
        shaded = lights is not None
        attributes = {}
        if shaded or "normals" in outputs:
            normals = self.camera.turn(vertex_normals(vertices, mesh.triangles))
        if lights is not None:
            attributes["light"] = brightness(normals, lights)
        if "normals" in outputs:
            attributes["normals"] = normals
        if "depth" in outputs:
            attributes["depth"] = pixels[..., 2:]
        if shaded or "mask" in outputs or "depth" in outputs:
            attributes["mask"] = tf.ones_like(pixels[..., 2:])

        texture = background = None
        if "picture" in outputs:
            # Where light is a factor, black has to be 0.
            texture = 0.5 + 0.5 * scene.texture if shaded else scene.texture
            background = self.backdrop(scene, viewpoints, framing)
        drawn = self._draw(
            pixels, mesh, texture, attributes, None if shaded else background
        )
        results = {name: drawn[name] for name in outputs}
        # Where the background is 0, soft pixels hold values times the mask.
        if shaded:
            light = tf.math.divide_no_nan(drawn["light"], drawn["mask"])
            lit = 2.0 * (drawn["picture"] * light) - drawn["mask"]
            results["picture"] = lit + (1.0 - drawn["mask"]) * background
        if "depth" in outputs:
            results["depth"] = tf.math.divide_no_nan(drawn["depth"], drawn["mask"])
        if "normals" in outputs:
            results["normals"] = tf.math.l2_normalize(drawn["normals"], -1)
        return results

    def _draw(
        self,
        pixels: tf.Tensor,
        mesh: SphereMesh,
        texture: tf.Tensor | None,
        attributes: dict[str, tf.Tensor],
        background: tf.Tensor | None,
    ) -> dict[str, tf.Tensor]:
        """Draws everything at once.

        Args:
          pixels: `[batch, vertices, 3]` homogeneous pixel coordinates.
          mesh: The mesh of the vertices.
          texture: `[batch, texture_height, texture_width, 3]`, or None.
          attributes: `[batch, vertices, channels]` each, by their names.
          background: `[batch, resolution, resolution, 3]` behind the texture, or None
            for 0. Behind attributes it is 0.

        Returns:
          `[batch, resolution, resolution, channels]` each, the attributes by their
          names and the texture as "picture".
        """
        channels = {name: value.shape[-1] for name, value in attributes.items()}
        if texture is not None:
            channels = {"picture": texture.shape[-1], **channels}
        size: dict[str, Any] = dict(height=self.resolution, width=self.resolution)
        if background is not None:
            behind = sum(channels.values()) - background.shape[-1]
            background = tf.pad(background, [[0, 0], [0, 0], [0, 0], [0, behind]])
            size = {}
        drawn = render_mesh(
            pixels,
            mesh,
            texture,
            tf.concat(list(attributes.values()), -1) if attributes else None,
            background,
            margin=self._config["margin"],
            depth_push=self._config["depth_push"],
            mipmaps=self._config["mipmaps"],
            backend=self._config["backend"],
            **size,
        )["picture"]
        parts = tf.split(drawn, list(channels.values()), -1)
        return dict(zip(channels, parts, strict=True))


def _choose_lights(
    lamps: RandomLamps, batch: int | tf.Tensor, seed: tf.Tensor | None
) -> Lights:
    return lamps.middle(batch) if seed is None else lamps.sample(batch, seed)
