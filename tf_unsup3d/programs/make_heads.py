"""Makes pictures of heads whose true shape is known.

unsup3d-make-heads --count=2000 --resolution=64 --output=heads
unsup3d-make-heads --head_model=head_model.npz --output=heads

The pictures to train on are in heads/train; see docs/heads.md and docs/head_models.md.
"""

from absl import flags
from tqdm import tqdm

from tf_unsup3d.heads.settings import SPLITS, HeadSetSettings
from tf_unsup3d.programs import cli

_DEFAULTS = HeadSetSettings()

_COUNT = flags.DEFINE_integer(
    "count", _DEFAULTS.count, "Number of pictures for training."
)
_VALIDATION_COUNT = flags.DEFINE_integer(
    "validation_count",
    _DEFAULTS.validation_count,
    "Number of pictures of other heads for validation, with their true shape.",
)
_TEST_COUNT = flags.DEFINE_integer(
    "test_count",
    _DEFAULTS.test_count,
    "Number of pictures of other heads for testing, with their true shape.",
)
_RESOLUTION = flags.DEFINE_integer(
    "resolution",
    _DEFAULTS.resolution,
    "Height and width of the pictures in pixels, a power of two from 16 to 512.",
)
_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "Folder to write to. If it holds an unfinished set with the same settings, the set "
    "is completed.",
    required=True,
)
_HEAD_MODEL = flags.DEFINE_string(
    "head_model",
    _DEFAULTS.head_model,
    "File of a linear head model (see docs/head_models.md). By default the heads are "
    "procedural.",
)
_BACKGROUNDS = flags.DEFINE_string(
    "backgrounds",
    _DEFAULTS.backgrounds,
    "Folder of pictures that serve as backgrounds. By default they are synthetic.",
)
_SEED = flags.DEFINE_integer("seed", _DEFAULTS.seed, "Seed of everything random.")
_YAW_RANGE = flags.DEFINE_float(
    "yaw_range",
    _DEFAULTS.yaw_range,
    "Largest yaw in degrees; yaw is uniform in [-yaw_range, yaw_range].",
)
_PITCH_RANGE = flags.DEFINE_float(
    "pitch_range",
    _DEFAULTS.pitch_range,
    "Largest pitch in degrees; pitch is uniform in [-pitch_range, pitch_range].",
)


def main(argv: list[str]) -> None:
    """Makes the heads that the flags ask for."""
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
