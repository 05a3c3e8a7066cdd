"""The project in one command: faces that come with it, then training on pictures.

make demo
"""

import pathlib

from absl import flags

from tf_unsup3d.errors import UserError
from tf_unsup3d.programs import cli

_MINUTES = flags.DEFINE_float(
    "minutes",
    10.0,
    "Minutes of training; the default is the least that shows heads on two cores.",
    lower_bound=0.0,
)
_PHOTOS = flags.DEFINE_string(
    "photos", "", "Folder of pictures to train on; made-up heads by default."
)
_OUTPUT = flags.DEFINE_string(
    "output", "runs", "Folder that the folders of the runs are made in."
)
_FROM_SCRATCH = flags.DEFINE_boolean(
    "from_scratch",
    False,
    "Train from random weights, on small pictures, instead of beginning with the "
    "generator of pretrained:heads64.",
)

_SEEDS = range(8)
_BEGINNING = "pretrained:heads64"


def show(source: str | pathlib.Path, folder: pathlib.Path) -> list[pathlib.Path]:
    """Writes a sheet, meshes and a turntable video of a trained model.

    Args:
      source: What `load` takes.
      folder: Folder to write to.

    Returns:
      The files to look at.
    """
    from tf_unsup3d.export.animations import turntable
    from tf_unsup3d.export.samples import write_samples
    from tf_unsup3d.export.texture_fill import fill_hidden_texture
    from tf_unsup3d.export.videos import write_video
    from tf_unsup3d.trained.trained_model import load

    model = load(str(source))
    write_samples(model, folder, _SEEDS, mesh_suffixes=(".glb",))
    video = folder / "turntable.gif"
    write_video(
        video, turntable(model, fill_hidden_texture(model, model.sample(_SEEDS)))
    )
    return [folder / "sheet.png", video, folder / "mesh_0000.glb"]


def _pictures(resolution: int) -> tuple[str, str]:
    """The folder of the pictures to train on, and a name for their run."""
    from tqdm import tqdm

    from tf_unsup3d.heads.settings import HeadSetSettings
    from tf_unsup3d.heads.storage import make_head_set, picture_dir

    if _PHOTOS.value:
        name = pathlib.Path(_PHOTOS.value).resolve().name
        return _PHOTOS.value, f"demo-photos-{name}"
    heads = pathlib.Path(_OUTPUT.value) / f"demo-pictures{resolution}"
    settings = HeadSetSettings(validation_count=0, test_count=0, resolution=resolution)
    with tqdm(total=settings.count, desc="making heads", unit="picture") as bar:
        make_head_set(heads, settings, progress=bar.update)
    return str(picture_dir(heads, "train")), "demo"


def main(argv: list[str]) -> None:
    """Shows what comes with the package, then trains and shows the outcome."""
    del argv
    if _PHOTOS.value and not pathlib.Path(_PHOTOS.value).is_dir():
        raise UserError(f"--photos: there is no folder {_PHOTOS.value}")
    from tf_unsup3d.trained.configuration import Configuration
    from tf_unsup3d.training.session import train

    cli.make_repeatable()
    output = pathlib.Path(_OUTPUT.value)
    print("Faces of pretrained:faces128, which comes with the package:")
    for path in show("pretrained:faces128", output / "demo-faces"):
        print(f"  {path}", flush=True)

    quick = "gin_configs/quickstart.gin"
    config = quick if _FROM_SCRATCH.value else "gin_configs/demo.gin"
    configuration = Configuration.from_files([config])
    photos, name = _pictures(configuration.resolution)
    run = output / (f"{name}-from-scratch" if _FROM_SCRATCH.value else name)
    beginning = "random weights" if _FROM_SCRATCH.value else _BEGINNING
    print(f"\nTraining for {_MINUTES.value:g} minutes, beginning with {beginning}:")
    train(
        configuration,
        photos,
        str(run),
        minutes=_MINUTES.value,
        transfer_from=None if _FROM_SCRATCH.value else _BEGINNING,
    )
    print("\nWhat was learned:")
    for path in show(run, run / "samples"):
        print(f"  {path}")
    print(
        f"\nThe same command trains on. To see the losses:\n"
        f"  .venv/bin/tensorboard --logdir {run}\n"
        "For good heads train for hours, on thousands of portraits of your own:\n"
        "  .venv/bin/unsup3d-prepare-data --input=PHOTOS --output=data/photos64 "
        "--resolution=64 --align=faces\n"
        "  .venv/bin/unsup3d-train --gin_configs=gin_configs/faces64.gin "
        "--data_dir=data/photos64 --model_dir=runs/photos"
    )


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
