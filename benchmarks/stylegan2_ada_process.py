"""StyleGAN2-ADA with the channels of a configuration, timed in a process of its own."""

import dataclasses
import json
import pathlib
import statistics
import subprocess

from benchmarks import stylegan2_ada
from benchmarks.stylegan2_ada import Settings
from tf_unsup3d.errors import UserError
from tf_unsup3d.trained.configuration import Configuration


def equal_settings(configuration: Configuration) -> Settings:
    """The settings with the channels, styles and batches of a configuration."""
    generator, discriminator = configuration.generator, configuration.discriminator
    return Settings(
        resolution=configuration.resolution,
        batch_size=configuration.training.batch_size,
        latent_size=generator["latent_size"],
        mapping_depth=generator["mapping_depth"],
        generator_channel_base=generator["channel_base"],
        discriminator_channel_base=discriminator["channel_base"],
        channel_max=generator["channel_max"],
        group_size=discriminator["group_size"],
    )


def measure(python: str, checkout: str, settings: Settings) -> dict[str, float]:
    """Times training steps.

    Args:
      python: The Python with PyTorch that runs it.
      checkout: Folder of a clone of NVlabs/stylegan2-ada-pytorch.
      settings: What is timed.

    Returns:
      By these names:
        milliseconds: The median of the counted steps.
        pictures_per_second: The mean over the counted steps, penalties included.

    Raises:
      UserError: It cannot be run.
    """
    program = pathlib.Path(stylegan2_ada.__file__)
    arguments = [checkout, json.dumps(dataclasses.asdict(settings))]
    try:
        process = subprocess.run(
            [python, str(program), *arguments], capture_output=True, text=True
        )
    except OSError as error:
        raise UserError(f"cannot run {python}: {error.strerror}") from error
    if process.returncode:
        reason = (process.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"cannot train with {checkout}: {reason}")
    seconds = json.loads(process.stdout.splitlines()[-1])
    return {
        "milliseconds": 1e3 * statistics.median(seconds),
        "pictures_per_second": settings.batch_size * len(seconds) / sum(seconds),
    }
