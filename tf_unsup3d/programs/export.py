"""Writes a trained model as a SavedModel for TensorFlow Serving and stock TensorFlow.

unsup3d-export --model_dir=pretrained:faces64 --output=served/faces64

The SavedModel lies in a folder of its version, served/faces64/1. docs/serving.md tells
what is in it.
"""

import pathlib

from absl import flags

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
    "Folder of all versions of the model; its name is the name of the model.",
    required=True,
)
_VERSION = flags.DEFINE_integer(
    "version",
    None,
    "Number of the version. By default it follows the newest version in the folder.",
    lower_bound=1,
)
_WITH_CUSTOM_OP = flags.DEFINE_bool(
    "with_custom_op",
    False,
    "Whether pictures are drawn by the compiled op, which is faster, but has to be "
    "loaded before the model. By default stock TensorFlow ops draw them.",
)


def main(argv: list[str]) -> None:
    """Loads the model and writes the version."""
    del argv
    from tf_unsup3d.export.saved_model.writing import export_saved_model
    from tf_unsup3d.trained.trained_model import load

    folder = export_saved_model(
        load(_MODEL_DIR.value),
        pathlib.Path(_OUTPUT.value),
        _VERSION.value,
        with_custom_op=_WITH_CUSTOM_OP.value,
    )
    print(f"SavedModel in {folder}")


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
