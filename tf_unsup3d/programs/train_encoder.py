"""Trains the encoder that unsup3d-reconstruct begins with.

unsup3d-train-encoder --model_dir=RUN

It learns from the model's own samples alone, so it takes no pictures. Afterwards it
finds the limits beyond which a reconstruction is flagged. See docs/reconstruction.md.
"""

import pathlib

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
_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "Folder to write encoder.npz and encoder.json to; by default that of the model, "
    "where unsup3d-reconstruct looks for them.",
)
_STEPS = flags.DEFINE_integer(
    "steps",
    6000,
    "Number of training steps, of 48 pictures each.",
    lower_bound=1,
)
_HELD_OUT = flags.DEFINE_integer(
    "held_out",
    128,
    "Number of samples that the limits of the flags are based on.",
    lower_bound=1,
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of all random numbers.", lower_bound=0)


def main(argv: list[str]) -> None:
    """Loads the model, trains the encoder and writes it."""
    del argv
    from tf_unsup3d.reconstruction.calibration import make_encoder_with_limits
    from tf_unsup3d.trained import encoder_files
    from tf_unsup3d.trained.model_folder import PREFIX
    from tf_unsup3d.trained.trained_model import load

    source = _MODEL_DIR.value
    if _OUTPUT.value is None and source.startswith(PREFIX):
        raise UserError(f"--output is needed: {source} is part of the package")
    cli.make_repeatable()
    model = load(source)
    output = pathlib.Path(_OUTPUT.value or source)
    encoder = make_encoder_with_limits(
        model, _STEPS.value, seed=_SEED.value, held_out=_HELD_OUT.value
    )
    encoder_files.write_encoder(output, encoder, model.generator)
    size = (output / encoder_files.WEIGHTS_NAME).stat().st_size
    print(f"an encoder of {size / 1e6:.1f} MB is in {output}")


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
