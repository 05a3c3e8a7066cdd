"""Draws samples of a trained generator and writes their meshes."""

import re

from absl import flags

from tf_unsup3d.errors import UserError
from tf_unsup3d.export.samples import write_samples
from tf_unsup3d.programs import cli
from tf_unsup3d.trained import runs

_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "Folder of a training run.", required=True
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder to write to.", required=True)
_SEEDS = flags.DEFINE_string(
    "seeds", "0-7", "Numbers of the samples, such as '3,5' or '0-7'."
)
_TRUNCATION_PSI = flags.DEFINE_float(
    "truncation_psi", 0.7, "1 samples as trained, less is nearer to the mean."
)
_YAW = flags.DEFINE_float("yaw", 0.0, "Of the single pictures, in degrees.")
_PITCH = flags.DEFINE_float("pitch", 0.0, "Of all pictures, in degrees.")

_MOST_SEEDS = 256


def parse_seeds(text: str) -> list[int]:
    """Reads numbers and ranges, such as "1,4-6".

    Args:
      text: what was typed.

    Returns:
      The numbers in order.

    Raises:
      UserError: if it is neither, or far too many.
    """
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", part)
        if not match:
            raise UserError(f"--seeds: {text!r} is not like '3,5' or '0-7'")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last >= 2**31:
            raise UserError(f"--seeds: {part.strip()!r} is not a range of numbers")
        if last - first >= _MOST_SEEDS or len(seeds) > _MOST_SEEDS:
            raise UserError(f"--seeds: more than {_MOST_SEEDS} at once")
        seeds.extend(range(first, last + 1))
    return seeds


def main(argv: list[str]) -> None:
    """Reads the run's configuration and writes the samples."""
    del argv
    seeds = parse_seeds(_SEEDS.value)
    runs.read_config(_MODEL_DIR.value)
    written = write_samples(
        _MODEL_DIR.value,
        _OUTPUT.value,
        seeds,
        _TRUNCATION_PSI.value,
        _YAW.value,
        _PITCH.value,
    )
    print(f"{len(written)} files in {_OUTPUT.value}")


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
