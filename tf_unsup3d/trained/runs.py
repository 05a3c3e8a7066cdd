"""The folder of a run: its configuration, and the generator that it trained."""

import os
import pathlib

import gin
import tensorflow as tf

from tf_unsup3d.compat import checkpointable
from tf_unsup3d.errors import UserError
from tf_unsup3d.models.configured import Generator
from tf_unsup3d.programs import configs
from tf_unsup3d.trained import published
from tf_unsup3d.training.trainer import Trainer

CONFIG_NAME = "config.gin"


def make_repeatable() -> None:
    """Makes repeats of this program exact, where TensorFlow can: on the CPU.

    On a GPU some gradients have no such kernel.
    """
    if not tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()


def write_config(model_dir: pathlib.Path) -> str:
    """Writes the parameters in use to the run's folder.

    Args:
      model_dir: folder of the run.

    Returns:
      The configuration as gin text.
    """
    text = gin.operative_config_str()
    temporary = model_dir / f"{CONFIG_NAME}.tmp"
    temporary.write_text(text)
    os.replace(temporary, model_dir / CONFIG_NAME)
    return text


def read_config(model_dir: str | pathlib.Path) -> None:
    """Lets gin read the parameters of a run.

    Args:
      model_dir: folder of the run.

    Raises:
      UserError: if it holds none.
    """
    path = published.find_run(model_dir) / CONFIG_NAME
    if not path.is_file():
        raise UserError(f"--model_dir: no {path}; is this the folder of a run?")
    configs.read_configs([str(path)])


def load_trainer(model_dir: str | pathlib.Path) -> Trainer:
    """A run as it was left, with its viewpoints, from a configuration gin has read.

    Args:
      model_dir: folder of the run.

    Returns:
      The trainer at its last checkpoint; of a published generator `average` and
      `step` alone are those of the run.

    Raises:
      UserError: if there is no checkpoint or it does not fit the configuration.
    """
    folder = published.find_run(model_dir)
    trainer = Trainer(folder)
    if published.is_published(folder):
        trainer.step.assign(published.restore(trainer.average, folder))
        return trainer
    if trainer.restore() == 0:
        raise UserError(f"--model_dir: no checkpoint in {model_dir}/checkpoints")
    return trainer


def load_generator(model_dir: str | pathlib.Path):
    """The averaged generator of a run, whose configuration gin has read.

    Args:
      model_dir: folder of the run.

    Returns:
      The `Generator` and the step that it was trained to.

    Raises:
      UserError: if there is no checkpoint or it does not fit the configuration.
    """
    generator = Generator(name="average")
    generator.build([None, generator.latent_size])
    run = published.find_run(model_dir)
    if published.is_published(run):
        return generator, published.restore(generator, run)
    folder = run / "checkpoints"
    newest = tf.train.latest_checkpoint(str(folder))
    if not newest:
        raise UserError(f"--model_dir: no checkpoint in {folder}")
    step = tf.Variable(0, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(
        average=checkpointable(generator.variables), step=step
    )
    try:
        status = checkpoint.restore(newest)
        status.assert_existing_objects_matched().expect_partial()
    except (AssertionError, ValueError) as error:
        raise UserError(
            f"checkpoint {newest} does not fit {CONFIG_NAME} beside it"
        ) from error
    return generator, int(step.numpy())


def average_style(generator, seed: int = 0, count: int = 1024) -> tf.Tensor:
    """[1, style_size] the mean style, the centre of the truncation trick."""
    latents = tf.random.stateless_normal([count, generator.latent_size], [seed, count])
    return tf.reduce_mean(generator.styles(latents), 0, keepdims=True)


def sample_scene(generator, seeds: list[int], truncation_psi: float = 1.0):
    """Scenes of numbered random vectors (truncation: Karras et al. 2019).

    Args:
      generator: that makes them.
      seeds: one for each object.
      truncation_psi: 1 keeps the styles, 0 makes all of them the mean one.

    Returns:
      A `Scene` of `len(seeds)` objects.
    """
    latents = tf.concat(
        [
            tf.random.stateless_normal([1, generator.latent_size], [seed, 0])
            for seed in seeds
        ],
        0,
    )
    mean = average_style(generator)
    styles = mean + truncation_psi * (generator.styles(latents) - mean)
    return generator.synthesize(styles)
