"""A trained model: the generator with all that is needed to draw as in training."""

import functools
import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tf_unsup3d.geometry.sphere import SphereMesh
from tf_unsup3d.geometry.viewpoints import Viewpoints
from tf_unsup3d.models.generator import Generator
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.random_streams import latents_of_seeds

_MEAN_STYLE_SAMPLES = 1024


def load(source: str | os.PathLike) -> "TrainedModel":
    """Loads a trained model.

    Args:
      source: Folder of a training run, of which the last checkpoint is loaded; folder
        of a published generator; or "pretrained:NAME" for one that comes with the
        package, such as "pretrained:faces64".

    Returns:
      The model.

    Raises:
      UserError: There is no model, or none that can be used.
    """
    folder = model_folder.find_folder(source)
    configuration = model_folder.read_configuration(folder)
    generator = configuration.make_generator("average")
    if model_folder.is_published(folder):
        card = model_folder.read_published(generator, folder)
        return TrainedModel(generator, configuration, card["step"], card)
    step = model_folder.restore_average(generator, folder)
    return TrainedModel(generator, configuration, step)


class TrainedModel:
    """A generator, the renderer that it was trained with, and where both come from.

    Models of different configurations live side by side: nothing is global.

    Args:
      generator: The generator, built; of a training run its moving average.
      configuration: The configuration that it was trained with.
      step: The training step that its weights are of.
      card: What was measured of it, and what else is to be known; by default how it was
        trained.

    Attributes:
      generator: The generator.
      configuration: The configuration.
      renderer: The renderer, with the resolution, camera and lamps of training.
      viewpoints: The distribution p_v of the viewpoints.
      step: The training step.
      card: What is to be known of the model, by name.
    """

    def __init__(
        self,
        generator: Generator,
        configuration: Configuration,
        step: int,
        card: dict[str, Any] | None = None,
    ):
        self.generator = generator
        self.configuration = configuration
        self.renderer: Renderer = configuration.make_renderer()
        self.viewpoints: Viewpoints = configuration.viewpoints
        self.step = step
        self.card = card or {
            "step": step,
            "pictures": step * configuration.training.batch_size,
            "seed": configuration.training.seed,
            "resolution": configuration.resolution,
        }

    @property
    def camera(self) -> PinholeCamera:
        """The camera of the training pictures."""
        return self.renderer.camera

    @property
    def mesh(self) -> SphereMesh:
        """Triangles and texture coordinates, the same for all objects."""
        return self.generator.mesh

    @property
    def resolution(self) -> int:
        """Height and width of the training pictures."""
        return self.renderer.resolution

    @functools.cached_property
    def mean_style(self) -> tf.Tensor:
        """`[1, style_size]`, the centre of the truncation trick."""
        count, size = _MEAN_STYLE_SAMPLES, self.generator.latent_size
        latents = tf.random.stateless_normal([count, size], [0, count])
        return tf.reduce_mean(self.generator.styles(latents), 0, keepdims=True)

    def styles(self, seeds: Sequence[int], truncation_psi: float = 0.7) -> tf.Tensor:
        """Styles of numbered random vectors.

        Args:
          seeds: Non-negative numbers, one for each style.
          truncation_psi: 1 keeps the styles as they are, 0 makes all of them the mean
            style (the truncation trick, Karras et al. 2019).

        Returns:
          `[len(seeds), style_size]`.
        """
        latents = latents_of_seeds(seeds, self.generator.latent_size)
        styles = self.generator.styles(latents)
        return self.mean_style + truncation_psi * (styles - self.mean_style)

    def synthesize(self, styles: tf.Tensor) -> Scene:
        """Makes the objects of styles.

        Args:
          styles: `[batch, style_size]`; what lies between two styles is an object, too.

        Returns:
          The scene, without noise.
        """
        return self.generator.synthesize(styles)

    def sample(self, seeds: Sequence[int], truncation_psi: float = 0.7) -> Scene:
        """Makes numbered random objects, see `styles` and `synthesize`."""
        return self.synthesize(self.styles(seeds, truncation_psi))

    def draw(
        self,
        scene: Scene,
        yaw_degrees: float = 0.0,
        pitch_degrees: float = 0.0,
        roll_degrees: float = 0.0,
        *,
        resolution: int | None = None,
        camera: PinholeCamera | None = None,
        outputs: Sequence[str] = ("picture",),
    ) -> dict[str, np.ndarray]:
        """Draws all objects of a scene from one viewpoint.

        Args:
          scene: The objects.
          yaw_degrees: Positive yaw turns a face to the left of the picture.
          pitch_degrees: Positive pitch turns a face downwards.
          roll_degrees: Positive roll turns a face clockwise.
          resolution: Height and width of the pictures; by default as in training.
          camera: The camera; by default as in training.
          outputs: Names of what is wanted among "picture", "mask", "depth" and
            "normals", see `Renderer`.

        Returns:
          The outputs by name, `[batch, resolution, resolution, channels]` each.
          Pictures are in [-1, 1]; depth is in the units of the vertices.

        Raises:
          ValueError: An output is unknown.
        """
        renderer = self.renderer
        if resolution is not None or camera is not None:
            renderer = renderer.replace(
                resolution=resolution or self.resolution,
                camera=camera or self.camera,
            )
        viewpoint = [
            math.radians(angle) for angle in (yaw_degrees, pitch_degrees, roll_degrees)
        ]
        viewpoints = tf.constant([viewpoint] * scene.vertices.shape[0])
        drawn = renderer(scene, viewpoints, outputs=tuple(outputs))
        return {name: value.numpy() for name, value in drawn.items()}
