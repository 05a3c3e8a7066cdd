"""Trains a generator on a folder of pictures, or continues to."""

from absl import flags

from tf_unsup3d.programs import cli, configs
from tf_unsup3d.training.session import train

_GIN_CONFIGS = flags.DEFINE_multi_string(
    "gin_configs", [], "Gin file of the experiment; may be repeated."
)
_GIN_BINDINGS = flags.DEFINE_multi_string(
    "gin_bindings", [], "One parameter, such as 'Trainer.batch_size = 16'."
)
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Prepared folder, or folder of pictures.", required=True
)
_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "Folder of the run; continued if it exists.", required=True
)
_MINUTES = flags.DEFINE_float(
    "minutes", None, "Stop after so many minutes of training.", lower_bound=0.0
)


def main(argv: list[str]) -> None:
    """Reads the configuration and trains."""
    del argv
    configs.read_configs(_GIN_CONFIGS.value, _GIN_BINDINGS.value)
    train(_DATA_DIR.value, _MODEL_DIR.value, _MINUTES.value)
    print(f"the run is in {_MODEL_DIR.value}; look at sheet.png and depth.png there")


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
