"""Makes pictures of heads whose true shape is known.

unsup3d-make-heads --count=2000 --resolution=64 --output=heads
unsup3d-make-heads --head_model=head_model.npz --output=heads

The pictures for training are then in heads/train. See docs/heads.md and
docs/head_models.md.
"""

from absl import flags
from tqdm import tqdm

from tf_unsup3d.heads.settings import FRAMINGS, SPLITS, HeadSetSettings
from tf_unsup3d.programs import cli

_DEFAULTS = HeadSetSettings()

_COUNT = flags.DEFINE_integer(
    "count", _DEFAULTS.count, "Number of pictures for training."
)
_VALIDATION_COUNT = flags.DEFINE_integer(
    "validation_count",
    _DEFAULTS.validation_count,
    "Number of pictures for validation, of other heads and with their true shape.",
)
_TEST_COUNT = flags.DEFINE_integer(
    "test_count",
    _DEFAULTS.test_count,
    "Number of pictures for testing, of other heads and with their true shape.",
)
_RESOLUTION = flags.DEFINE_integer(
    "resolution",
    _DEFAULTS.resolution,
    "Height and width of the pictures in pixels, a power of two from 16 to 512.",
)
_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "Folder for the pictures. An unfinished set in this folder with the same settings "
    "is completed.",
    required=True,
)
_HEAD_MODEL = flags.DEFINE_string(
    "head_model",
    _DEFAULTS.head_model,
    "File of a linear head model (see docs/head_models.md). Without it, the heads are "
    "procedural.",
)
_BACKGROUNDS = flags.DEFINE_string(
    "backgrounds",
    _DEFAULTS.backgrounds,
    "Folder of pictures to use as backgrounds. Without it, the backgrounds are "
    "synthetic.",
)
_SEED = cli.define_seed("Seed of all random choices.")
_YAW_RANGE = flags.DEFINE_float(
    "yaw_range",
    _DEFAULTS.yaw_range,
    "Largest yaw in degrees. Yaw is between minus and plus this value.",
)
_PITCH_RANGE = flags.DEFINE_float(
    "pitch_range",
    _DEFAULTS.pitch_range,
    "Largest pitch in degrees. Pitch is between minus and plus this value.",
)
_FRAMING = flags.DEFINE_enum(
    "framing",
    _DEFAULTS.framing,
    FRAMINGS,
    "ball: whole heads, at angles that are uniformly distributed. portrait: faces that "
    "are cropped as FFHQ's are, at angles that are normally distributed (deviations of "
    "20 and 8 degrees), in light that also comes from two sides or from everywhere.",
)


def main(argv: list[str]) -> None:
    """Makes the pictures that the flags describe."""
    del argv
    from tf_unsup3d.heads.storage import make_head_set, picture_dir

    settings = HeadSetSettings(
        count=_COUNT.value,
        validation_count=_VALIDATION_COUNT.value,
        test_count=_TEST_COUNT.value,
        resolution=_RESOLUTION.value,
        seed=_SEED.value,
        yaw_range=_YAW_RANGE.value,
        pitch_range=_PITCH_RANGE.value,
        framing=_FRAMING.value,
        head_model=_HEAD_MODEL.value,
        backgrounds=_BACKGROUNDS.value,
    )
    total = sum(settings.size(split) for split in SPLITS)
    with tqdm(total=total, desc="heads", unit="picture") as bar:
        made = make_head_set(_OUTPUT.value, settings, progress=bar.update)
        if not made:
            bar.update(total)
    state = "made" if made else "already complete:"
    pictures = picture_dir(_OUTPUT.value, "train")
    print(f"{state} {total} pictures of heads in {_OUTPUT.value}")
    print(f"to train on them: --data_dir={pictures}")


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
