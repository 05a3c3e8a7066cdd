"""Prepares a folder or ZIP archive of pictures for training.

unsup3d-prepare-data --input=photos --output=prepared --resolution=64
"""

from absl import flags

from tf_unsup3d.data import prepare
from tf_unsup3d.programs import cli

_INPUT = flags.DEFINE_string(
    "input",
    None,
    "Folder (with sub-folders) or ZIP archive of pictures.",
    required=True,
)
_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "Folder for the prepared pictures. An unfinished preparation in this folder, from "
    "the same input and with the same settings, is continued.",
    required=True,
)
_RESOLUTION = flags.DEFINE_integer(
    "resolution",
    None,
    "Height and width of the prepared pictures, a power of two from 8 to 1024.",
    required=True,
)
_STRICT = flags.DEFINE_boolean(
    "strict",
    False,
    "Stop at the first file that cannot be used instead of skipping it.",
)


def main(argv: list[str]) -> None:
    """Prepares the pictures in --input."""
    del argv
    manifest, done_now = prepare.prepare_pictures(
        _INPUT.value, _OUTPUT.value, _RESOLUTION.value, strict=_STRICT.value
    )
    summary = (
        f"{manifest.count} pictures of {manifest.resolution}x{manifest.resolution} "
        f"in {_OUTPUT.value}"
    )
    if manifest.skipped:
        skipped = f"{_OUTPUT.value}/{prepare.SKIPPED_NAME}"
        summary += f", {manifest.skipped} files skipped (see {skipped})"
    print(("prepared " if done_now else "already prepared: ") + summary)


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
