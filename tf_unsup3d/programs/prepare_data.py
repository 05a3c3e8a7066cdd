"""Prepares a folder or ZIP archive of pictures for training.

unsup3d-prepare-data --input=photos --output=prepared --resolution=64
"""

from absl import flags

from tf_unsup3d.data import prepare
from tf_unsup3d.data.manifest import ALIGNMENTS
from tf_unsup3d.errors import UserError
from tf_unsup3d.programs import cli

_INPUT = flags.DEFINE_string(
    "input",
    None,
    "Folder (with sub-folders) or ZIP archive of pictures, here or wherever "
    "tf.io.gfile opens a path, such as gs://bucket/photos.",
)
_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "Folder for the prepared pictures. An unfinished preparation in this folder, from "
    "the same input and with the same settings, is continued; damaged files of a "
    "finished one are written again.",
    required=True,
)
_RESOLUTION = flags.DEFINE_integer(
    "resolution",
    None,
    "Height and width of the prepared pictures, a power of two from 8 to 1024.",
)
_ALIGN = flags.DEFINE_enum(
    "align",
    "none",
    list(ALIGNMENTS),
    "What to cut out of each picture: its central square (none), or each face in it, "
    "upright and framed as in FFHQ (faces), which needs the extra tf-unsup3d[faces].",
)
_STRICT = flags.DEFINE_boolean(
    "strict",
    False,
    "Stop at the first file or face that cannot be used instead of skipping it.",
)
_VERIFY = flags.DEFINE_boolean(
    "verify",
    False,
    "Prepare nothing, but check every picture in --output against the checksums.",
)


def main(argv: list[str]) -> None:
    """Prepares the pictures in --input, or verifies those in --output."""
    del argv
    if _VERIFY.value:
        _verify()
    else:
        _prepare()


def _verify() -> None:
    # Not at the top, because it imports TensorFlow; see `workers`.
    from tf_unsup3d.data import verify

    manifest = verify.verify_pictures(_OUTPUT.value)
    print(
        f"intact: {manifest.count} pictures of "
        f"{manifest.resolution}x{manifest.resolution} in {_OUTPUT.value}"
    )


def _prepare() -> None:
    source, resolution = _INPUT.value, _RESOLUTION.value
    if source is None or resolution is None:
        raise UserError("without --verify, --input and --resolution are required")
    manifest, done_now = prepare.prepare_pictures(
        source,
        _OUTPUT.value,
        resolution,
        align=_ALIGN.value,
        strict=_STRICT.value,
    )
    summary = (
        f"{manifest.count} pictures of {manifest.resolution}x{manifest.resolution} "
        f"in {_OUTPUT.value}"
    )
    if manifest.skipped:
        skipped = f"{_OUTPUT.value}/{prepare.SKIPPED_NAME}"
        summary += f", {prepare.describe_skipped(manifest)} skipped (see {skipped})"
    print(("prepared " if done_now else "already prepared: ") + summary)


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
