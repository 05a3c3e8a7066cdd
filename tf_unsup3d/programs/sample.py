"""Draws samples of a trained model and writes their textured meshes.

unsup3d-sample --model_dir=pretrained:faces64 --output=samples
"""

import re

from absl import flags

from tf_unsup3d.errors import UserError
from tf_unsup3d.programs import cli

_MODEL_DIR = flags.DEFINE_string(
    "model_dir",
    None,
    "Trained model: the folder of a run or of a published generator, or "
    "pretrained:NAME.",
    required=True,
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder to write to.", required=True)
_SEEDS = flags.DEFINE_string(
    "seeds", "0-7", "Numbers of the samples, such as '3,5' or '0-7'."
)
_TRUNCATION_PSI = flags.DEFINE_float(
    "truncation_psi",
    0.7,
    "1 samples as trained; smaller values stay nearer to the mean object.",
)
_YAW = flags.DEFINE_float("yaw", 0.0, "Yaw of the single pictures, in degrees.")
_PITCH = flags.DEFINE_float("pitch", 0.0, "Pitch of all pictures, in degrees.")
_RESOLUTION = flags.DEFINE_integer(
    "resolution",
    None,
    "Height and width of the single pictures; as in training by default.",
    lower_bound=8,
    upper_bound=4096,
)

_MOST_SEEDS = 256


def parse_seeds(text: str) -> list[int]:
    """Reads numbers and ranges, such as "1,4-6".

    Args:
      text: The text.

    Returns:
      The numbers in their order.

    Raises:
      UserError: The text is something else, or holds far too many numbers.
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
    """Loads the model and writes the samples."""
    del argv
    seeds = parse_seeds(_SEEDS.value)
    from tf_unsup3d.export.samples import write_samples
    from tf_unsup3d.trained.trained_model import load

    written = write_samples(
        load(_MODEL_DIR.value),
        _OUTPUT.value,
        seeds,
        truncation_psi=_TRUNCATION_PSI.value,
        yaw_degrees=_YAW.value,
        pitch_degrees=_PITCH.value,
        resolution=_RESOLUTION.value,
    )
    print(f"{len(written)} files in {_OUTPUT.value}")


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
