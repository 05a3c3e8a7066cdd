"""Makes a trained generator small enough to pass on.

unsup3d-publish --model_dir=RUN --scores=EVALUATION/shape.json --output=FOLDER

The folder serves as --model_dir of the programs that sample, evaluate and reconstruct,
and with the discriminator as --transfer_from of unsup3d-train. If the run has an
encoder (see unsup3d-train-encoder), the folder has it, too.
"""

import pathlib

from absl import flags

from tf_unsup3d.errors import UserError
from tf_unsup3d.files import read_json
from tf_unsup3d.programs import cli

_MODEL_DIR = flags.DEFINE_string(
    "model_dir",
    None,
    "Trained model: the folder of a run or of a published generator, or a checkpoint "
    "of a run.",
    required=True,
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder to write to.", required=True)
_SCORES = flags.DEFINE_multi_string(
    "scores",
    [],
    "JSON file of unsup3d-evaluate, which is kept on the card under its name. May be "
    "repeated with files of other names.",
)


def read_scores(paths: list[str]) -> dict[str, dict]:
    """Reads what was measured.

    Args:
      paths: JSON files of unsup3d-evaluate.

    Returns:
      Their contents by the names of the files, without suffix, and without the folders
      that were measured, which mean nothing elsewhere.

    Raises:
      UserError: A file cannot be read or is not one of unsup3d-evaluate, or two have
        the same name.
    """
    scores = {}
    for path in map(pathlib.Path, paths):
        content = read_json(path)
        settings = content.get("settings")
        if not isinstance(settings, dict):
            raise UserError(f"--scores: {path} is no file of unsup3d-evaluate")
        for name in [name for name in settings if name.endswith("_dir")]:
            del settings[name]
        if path.stem in scores:
            raise UserError(f"--scores: two files are called {path.stem}: rename one")
        scores[path.stem] = content
    return scores


def main(argv: list[str]) -> None:
    """Loads the run and writes the folder."""
    del argv
    scores = read_scores(_SCORES.value)
    from tf_unsup3d.trained.publishing import publish

    output = pathlib.Path(_OUTPUT.value)
    publish(_MODEL_DIR.value, output, scores)
    size = sum(path.stat().st_size for path in output.glob("*.npz"))
    print(f"{size / 1e6:.1f} MB of weights in {output}")


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
