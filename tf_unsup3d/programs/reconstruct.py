"""Reconstructs the objects in pictures as textured meshes.

unsup3d-reconstruct --model_dir=RUN --input=PICTURE --output=DIR

PICTURE is a picture file, a folder or a ZIP archive. Pictures should be framed like
those that the model was trained on; --align=faces frames ordinary photographs of people
so. What the model cannot explain is flagged.
"""

import pathlib
import sys

from absl import flags

from tf_unsup3d.data.manifest import ALIGNMENTS
from tf_unsup3d.errors import UserError
from tf_unsup3d.programs import cli

_MODEL_DIR = flags.DEFINE_string(
    "model_dir",
    None,
    "Trained model: the folder of a run, of a published generator or of a SavedModel "
    "that unsup3d-export wrote, a checkpoint of a run, or pretrained:NAME.",
    required=True,
)
_INPUT = flags.DEFINE_string(
    "input", None, "Picture file, or folder or ZIP archive of pictures.", required=True
)
_ALIGN = flags.DEFINE_enum(
    "align",
    "none",
    list(ALIGNMENTS),
    "What to cut out of each picture: its central square (none), or each face in it, "
    "upright and framed as in FFHQ (faces), which needs the extra tf-unsup3d[faces].",
)
_OUTPUT = flags.DEFINE_string(
    "output", None, "Folder to write to, apart from the pictures.", required=True
)
_ENCODER = flags.DEFINE_string(
    "encoder",
    None,
    "Folder of the encoder of unsup3d-train-encoder; by default that of the model.",
)
_STEPS = flags.DEFINE_integer(
    "steps",
    100,
    "Number of steps of the optimisation; 0 for the estimates of the encoder.",
    lower_bound=0,
)
_RESIDUAL = flags.DEFINE_bool(
    "residual",
    False,
    "Whether smooth residuals of texture and shape are fitted afterwards, so that the "
    "picture is matched where the generator cannot.",
)


def main(argv: list[str]) -> None:
    """Loads the model, reads the pictures and reconstructs them."""
    del argv
    from tf_unsup3d.data.face_detection import FaceDetector
    from tf_unsup3d.files import check_writable
    from tf_unsup3d.reconstruction.inputs import check_output, read_pictures
    from tf_unsup3d.reconstruction.outputs import reconstruct_files
    from tf_unsup3d.trained.encoder_files import read_encoder
    from tf_unsup3d.trained.trained_model import load

    if _RESIDUAL.value and not _STEPS.value:
        raise UserError("--residual needs --steps of at least 1")
    check_output(_INPUT.value, _OUTPUT.value)
    cli.make_repeatable()
    detector = FaceDetector() if _ALIGN.value == "faces" else None
    model = load(_MODEL_DIR.value)
    if _ENCODER.value:
        encoder = read_encoder(pathlib.Path(_ENCODER.value), model.generator)
    else:
        encoder = model.encoder
    pictures, skipped = read_pictures(_INPUT.value, model.resolution, detector)
    check_writable(_OUTPUT.value)
    for name, reason in skipped.items():
        print(f"skipped {name}: {reason}", file=sys.stderr)
    flagged = reconstruct_files(
        model,
        pictures,
        _OUTPUT.value,
        encoder=encoder,
        steps=_STEPS.value,
        residual=_RESIDUAL.value,
        about={"model_dir": _MODEL_DIR.value, "skipped": skipped},
    )
    for name, found in flagged.items():
        for flag in found:
            print(f"flagged {name}: {flag}")
    explained = sum(not found for found in flagged.values())
    print(f"{explained} of {len(pictures)} pictures explained; see {_OUTPUT.value}")


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
