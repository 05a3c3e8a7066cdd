"""A trained model: a generator, and the renderer that it was trained with."""

import functools
import math
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

import tf_unsup3d
from tf_unsup3d.errors import UserError
from tf_unsup3d.geometry.sphere import SphereMesh
from tf_unsup3d.geometry.viewpoints import Viewpoints
from tf_unsup3d.models import precision
from tf_unsup3d.models.generator import Generator
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.encoder_files import (
    TrainedEncoder,
    has_encoder,
    read_encoder,
)
from tf_unsup3d.trained.random_streams import (
    RandomScenes,
    latents_of_seeds,
    random_scenes,
)
from tf_unsup3d.trained.style_distribution import StyleDistribution

RANDOM_BATCH_SIZE = 16
_MEAN_STYLE_SAMPLES = 1024


def load(source: str | os.PathLike) -> "TrainedModel":
    """Loads a trained model.

    Args:
      source: Folder of a training run, from which the last checkpoint is loaded; one of
        its checkpoints, such as `RUN/checkpoints/best.npz`; folder of a published
        generator; folder that `unsup3d-export` wrote, of which the newest version is
        loaded, or of one version; or "pretrained:NAME" for a generator that comes with
        the package, such as "pretrained:faces64".

    Returns:
      The model.

    Raises:
      UserError: There is no model, or it cannot be used.
    """
    folder, checkpoint = model_folder.find_model(source)
    configuration = model_folder.read_configuration(folder)
    generator = configuration.make_generator("average")
    if model_folder.is_published(folder):
        card = model_folder.read_published(generator, folder)
        return TrainedModel(generator, configuration, card["step"], card, folder)
    step = model_folder.restore_network(generator, "average", folder, checkpoint)
    return TrainedModel(generator, configuration, step, folder=folder)


class TrainedModel:
    """A generator, the renderer that it was trained with, and their configuration.

    There is no global state: models of different configurations can be used together.

    Args:
      generator: The generator, built; for a training run, its moving average.
      configuration: The configuration of the training run.
      step: Number of steps after which the generator had these weights.
      card: Measurements and other information about the model, by name. The default
        holds the step, the number of pictures seen, the seed and the resolution.
      folder: Folder that the model was loaded from, or None.

    Attributes:
      generator: The generator.
      configuration: The configuration.
      renderer: The renderer, with the resolution, camera and lamps of training.
      viewpoints: The distribution p_v of the viewpoints in training, as it was
        configured or learned.
      step: Number of training steps.
      card: Measurements and other information about the model, by name.
      folder: Folder that the model was loaded from, where its encoder is, or None.
    """

    def __init__(
        self,
        generator: Generator,
        configuration: Configuration,
        step: int,
        card: dict[str, Any] | None = None,
        folder: pathlib.Path | None = None,
    ):
        self.generator = generator
        self.configuration = configuration
        self.renderer: Renderer = configuration.make_renderer()
        self.viewpoints: Viewpoints = configuration.viewpoints
        if configuration.generator["learn_viewpoints"]:
            spread = generator.viewpoint_spread().numpy()
            self.viewpoints = self.viewpoints.scaled(spread)
        self.step = step
        self.folder = folder
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
        """The mesh of triangles and texture coordinates that all objects share."""
        return self.generator.mesh

    @property
    def resolution(self) -> int:
        """Height and width of the training pictures."""
        return self.renderer.resolution

    @functools.cached_property
    def mean_style(self) -> tf.Tensor:
        """The mean style `[1, style_size]`, the centre of the truncation trick."""
        count, size = _MEAN_STYLE_SAMPLES, self.generator.latent_size
        # What is kept must not belong to the graph in which it is first asked for.
        with tf.init_scope():
            latents = tf.random.stateless_normal([count, size], [0, count])
            return tf.reduce_mean(self.generator.styles(latents), 0, keepdims=True)

    @functools.cached_property
    def style_distribution(self) -> StyleDistribution:
        """Mean, principal axes and spread of the styles."""
        return StyleDistribution.of_generator(self.generator)

    @functools.cached_property
    def random_batch(self) -> Callable[[tf.Tensor], RandomScenes]:
        """A function from a key, `[2]` int64, to `RANDOM_BATCH_SIZE` random objects.

        It has one graph for the life of the model. See `random_scenes`.
        """
        dtype = precision.convolution_dtype("auto")

        @tf.function(autograph=False, jit_compile=False)
        def make(key: tf.Tensor) -> RandomScenes:
            with precision.convolutions_in(dtype):
                return random_scenes(
                    self.generator, self.viewpoints, RANDOM_BATCH_SIZE, key
                )

        return make

    @functools.cached_property
    def encoder(self) -> TrainedEncoder:
        """The encoder that was trained for this model, read from the model's folder.

        Raises:
          UserError: There is no encoder, or it cannot be used.
        """
        if self.folder is None:
            raise UserError("a model that was not loaded from a folder has no encoder")
        return read_encoder(self.folder, self.generator)

    def usable_encoder(self) -> TrainedEncoder | None:
        """Returns the encoder, or None if there is none that can be used.

        A warning in the log says why one that is there cannot be used. Often it was
        trained for an earlier state of the generator.
        """
        if self.folder is None or not has_encoder(self.folder):
            return None
        try:
            return self.encoder
        except UserError as error:
            logging.warning("the encoder is left out: %s", error)
            return None

    @functools.cached_property
    def reconstructor(self) -> "tf_unsup3d.Reconstructor":
        """What `reconstruct` calls; to keep it saves the time to build its graphs."""
        # Reconstruction builds on this module, so only the package as a whole knows it.
        return tf_unsup3d.Reconstructor(self)

    def reconstruct(
        self, pictures: np.ndarray, *, steps: int = 100, residual: bool = False
    ) -> "tf_unsup3d.Reconstruction":
        """Reconstructs the objects in pictures; see `Reconstructor`.

        Args:
          pictures: `[pictures, size, size, 3]` or `[size, size, 3]`, uint8 or floating
            point in [-1, 1], framed like the pictures of training.
          steps: Number of steps of the optimisation; 0 for the encoder alone.
          residual: Whether residuals of texture and shape are fitted, too.

        Returns:
          The reconstruction, with a flag for each picture that it does not explain.

        Raises:
          UserError: The model has no encoder.
          ValueError: The pictures have the wrong shape or values.
        """
        return self.reconstructor(pictures, steps=steps, residual=residual)

    def styles(
        self, seeds: Sequence[int] | tf.Tensor, truncation_psi: float = 0.7
    ) -> tf.Tensor:
        """Computes the styles of numbered random latent vectors.

        Args:
          seeds: Non-negative integers, one for each style.
          truncation_psi: Factor by which the styles are scaled about the mean style
            (the truncation trick, Karras et al. 2019). 1 leaves them unchanged, 0 makes
            all of them the mean style.

        Returns:
          `[len(seeds), style_size]`.
        """
        latents = latents_of_seeds(seeds, self.generator.latent_size)
        return self.truncate(self.generator.styles(latents), truncation_psi)

    def truncate(
        self, styles: tf.Tensor, truncation_psi: float | tf.Tensor
    ) -> tf.Tensor:
        """Scales styles about the mean style.

        Args:
          styles: `[batch, style_size]`.
          truncation_psi: The factor; one for all styles, or `[batch, 1]`.

        Returns:
          `[batch, style_size]`.
        """
        return self.mean_style + truncation_psi * (styles - self.mean_style)

    def synthesize(self, styles: tf.Tensor) -> Scene:
        """Generates the objects of styles.

        Args:
          styles: `[batch, style_size]`. Interpolated styles are styles, too.

        Returns:
          The objects, generated without noise.
        """
        return self.generator.synthesize(styles)

    def sample(self, seeds: Sequence[int], truncation_psi: float = 0.7) -> Scene:
        """Generates numbered random objects; see `styles` and `synthesize`."""
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
        pivot: tuple[float, float, float] | None = None,
        outputs: Sequence[str] = ("picture",),
    ) -> dict[str, np.ndarray]:
        """Renders all objects of a scene from one viewpoint.

        Args:
          scene: The objects.
          yaw_degrees: Yaw in degrees; a positive one turns a face to the left of the
            picture.
          pitch_degrees: Pitch in degrees; a positive one turns a face downwards.
          roll_degrees: Roll in degrees; a positive one turns a face clockwise.
          resolution: Height and width of the pictures in pixels; by default that of
            training.
          camera: The camera; by default that of training.
          pivot: The point that the objects turn about, in the middle of the picture; by
            default that of training. (0, 0, 0) is the middle of the objects.
          outputs: Names of the outputs to compute, among "picture", "mask", "depth" and
            "normals"; see `Renderer`.

        Returns:
          The outputs by name, `[batch, resolution, resolution, channels]` each.
          Pictures are in [-1, 1]; depth is in the units of the vertices.

        Raises:
          ValueError: An output is unknown.
        """
        changes = {"resolution": resolution, "camera": camera, "pivot": pivot}
        changes = {name: value for name, value in changes.items() if value is not None}
        renderer = self.renderer.replace(**changes) if changes else self.renderer
        viewpoint = [
            math.radians(angle) for angle in (yaw_degrees, pitch_degrees, roll_degrees)
        ]
        viewpoints = tf.tile(tf.constant([viewpoint]), [scene.vertices.shape[0], 1])
        drawn = renderer(scene, viewpoints, outputs=tuple(outputs))
        return {name: value.numpy() for name, value in drawn.items()}
