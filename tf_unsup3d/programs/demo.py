"""The main job in one command: pictures in, trained generator and meshes out."""

import pathlib

from absl import flags
from tqdm import tqdm

from tf_unsup3d.export.samples import write_samples
from tf_unsup3d.heads import storage
from tf_unsup3d.programs import cli, configs
from tf_unsup3d.training.session import train

_MINUTES = flags.DEFINE_float("minutes", 10.0, "Of training.", lower_bound=0.0)
_PHOTOS = flags.DEFINE_string(
    "photos", "", "Folder of pictures; made-up heads if empty."
)
_OUTPUT = flags.DEFINE_string("output", "runs/demo", "Folder of the run.")

_CONFIG = "gin_configs/quickstart.gin"
_RESOLUTION = 32


def main(argv: list[str]) -> None:
    """Makes or opens the pictures, trains, and writes samples."""
    del argv
    configs.read_configs([_CONFIG])
    output = pathlib.Path(_OUTPUT.value)
    photos = _PHOTOS.value
    if not photos:
        heads = output / "data"
        settings = storage.HeadSetSettings(
            validation_count=0, test_count=0, resolution=_RESOLUTION
        )
        with tqdm(total=settings.count, desc="heads", unit="picture") as bar:
            storage.make_head_set(heads, settings, progress=bar.update)
        photos = str(storage.picture_dir(heads, "train"))
    train(photos, str(output), _MINUTES.value)
    written = write_samples(
        str(output), str(output), list(range(8)), 1.0, mesh_suffixes=(".glb",)
    )
    print("\nThe run:")
    for path in (
        *sorted(set(path for path in written if path.suffix == ".png")),
        *(path for path in written if path.suffix == ".glb"),
        *(output / name for name in ("config.gin", "metrics.jsonl", "checkpoints")),
    ):
        print(f"  {path}")
    print(
        "Ten minutes are a beginning. `make demo` again trains on; watch it with\n"
        f"  .venv/bin/tensorboard --logdir {output}"
    )


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
