"""Trains the encoder that unsup3d-reconstruct begins with.

unsup3d-train-encoder --model_dir=RUN --data_dir=PICTURES

It learns from the model's own samples alone. Afterwards it finds the limits beyond
which a reconstruction is flagged, and these are best based on pictures. See
docs/reconstruction.md.
"""

import pathlib

from absl import flags

from tf_unsup3d.errors import UserError
from tf_unsup3d.programs import cli

_MODEL_DIR = flags.DEFINE_string(
    "model_dir",
    None,
    "Trained model: the folder of a run or of a published generator, a checkpoint of a "
    "run, or pretrained:NAME.",
    required=True,
)
_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "Folder to write encoder.npz and encoder.json to; by default that of the model, "
    "where unsup3d-reconstruct looks for them.",
)
_DATA_DIR = flags.DEFINE_string(
    "data_dir",
    None,
    "Folder of unsup3d-prepare-data, or any folder of pictures, that the limits beyond "
    "which pictures are flagged are based on. By default these are samples of the "
    "model, which it explains better than pictures, so that more are flagged.",
)
_LIMITS_ONLY = flags.DEFINE_bool(
    "limits_only",
    False,
    "Keep the encoder in the folder of --output or, if there is none, that of the "
    "model, and find only the limits beyond which pictures are flagged.",
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
    "Number of pictures or samples that these limits are based on, all if there are "
    "fewer.",
    lower_bound=16,
)
_SEED = cli.define_seed("Seed of all random numbers.")


def main(argv: list[str]) -> None:
    """Loads the model, trains the encoder and writes it."""
    del argv
    from tf_unsup3d.data.dataset import open_pictures
    from tf_unsup3d.files import check_writable
    from tf_unsup3d.reconstruction.calibration import (
        check_enough,
        make_trained_encoder,
        with_limits,
    )
    from tf_unsup3d.trained import encoder_files
    from tf_unsup3d.trained.model_folder import PREFIX
    from tf_unsup3d.trained.trained_model import load

    source = _MODEL_DIR.value
    if _OUTPUT.value is None and source.startswith(PREFIX):
        raise UserError(f"--output is needed: {source} is part of the package")
    cli.make_repeatable()
    model = load(source)
    # A checkpoint is in a folder of the run, and of a SavedModel it is an inner one.
    output = pathlib.Path(_OUTPUT.value or model.folder or source)
    pictures = None
    if _DATA_DIR.value is not None:
        pictures = open_pictures(_DATA_DIR.value, model.resolution)
        check_enough(pictures)
    seed = _SEED.value
    if _LIMITS_ONLY.value:
        if encoder_files.has_encoder(output):
            encoder = encoder_files.read_encoder(output, model.generator)
        else:
            encoder = model.encoder
        check_writable(output)
    else:
        check_writable(output)
        encoder = make_trained_encoder(model, _STEPS.value, seed=seed)
        # Whatever happens to the limits, --limits_only can find them afterwards.
        encoder_files.write_encoder(output, encoder, model.generator)
    encoder = with_limits(
        model, encoder, pictures=pictures, held_out=_HELD_OUT.value, seed=seed
    )
    encoder_files.write_encoder(output, encoder, model.generator)
    size = (output / encoder_files.WEIGHTS_NAME).stat().st_size
    print(f"an encoder of {size / 1e6:.1f} MB is in {output}")


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
