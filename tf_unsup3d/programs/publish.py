"""Makes a trained generator small enough to pass on.

unsup3d-publish --model_dir=RUN --scores=EVALUATION/shape.json --output=FOLDER

The folder serves as --model_dir of the programs that sample and evaluate.
"""

import json
import pathlib

from absl import flags

from tf_unsup3d.errors import UserError
from tf_unsup3d.files import write_bytes
from tf_unsup3d.programs import cli
from tf_unsup3d.trained import published, runs

_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "Folder of a training run.", required=True
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder to write to.", required=True)
_SCORES = flags.DEFINE_multi_string(
    "scores", [], "JSON file of unsup3d-evaluate, kept on the card; may be repeated."
)


def read_scores(paths: list[str]) -> dict[str, dict]:
    """Reads what was measured.

    Args:
      paths: of JSON files.

    Returns:
      Their contents by the names of the files, without suffix, and without the
      folders that were measured, which mean nothing elsewhere.

    Raises:
      UserError: if one cannot be read.
    """
    scores = {}
    for path in map(pathlib.Path, paths):
        try:
            content = json.loads(path.read_text())
            settings = content.get("settings", {})
            for name in [name for name in settings if name.endswith("_dir")]:
                del settings[name]
            scores[path.stem] = content
        except (OSError, ValueError, AttributeError) as error:
            raise UserError(f"--scores: {path} is no JSON file") from error
    return scores


def main(argv: list[str]) -> None:
    """Reads the run and writes the folder."""
    del argv
    scores = read_scores(_SCORES.value)
    runs.read_config(_MODEL_DIR.value)
    trainer = runs.load_trainer(_MODEL_DIR.value)
    output = pathlib.Path(_OUTPUT.value)
    step = int(trainer.step.numpy())
    card = {
        "step": step,
        "pictures": step * trainer.batch_size,
        "seed": trainer.seed,
        "resolution": trainer.resolution,
        "scores": scores,
    }
    config = published.find_run(_MODEL_DIR.value) / runs.CONFIG_NAME
    write_bytes(output / runs.CONFIG_NAME, config.read_bytes())
    published.write_weights(trainer.average, output / published.WEIGHTS_NAME)
    write_bytes(
        output / published.CARD_NAME, (json.dumps(card, indent=2) + "\n").encode()
    )
    size = (output / published.WEIGHTS_NAME).stat().st_size
    print(f"{size / 1e6:.1f} MB of weights in {output}")


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
