"""Trains a generator on a folder of pictures, or goes on training it.

unsup3d-train --gin_configs=gin_configs/faces64.gin --data_dir=PICTURES --model_dir=RUN
"""

from absl import flags

from tf_unsup3d.programs import cli

_GIN_CONFIGS = flags.DEFINE_multi_string(
    "gin_configs",
    [],
    "Gin file of the experiment, in the current folder or among those of the package. "
    "May be repeated; a later file overrides an earlier one.",
)
_GIN_BINDINGS = flags.DEFINE_multi_string(
    "gin_bindings",
    [],
    "One parameter, such as 'Trainer.batch_size = 16'. May be repeated; bindings "
    "override the files.",
)
_DATA_DIR = flags.DEFINE_string(
    "data_dir",
    None,
    "Folder of unsup3d-prepare-data, or any folder of pictures.",
    required=True,
)
_MODEL_DIR = flags.DEFINE_string(
    "model_dir",
    None,
    "Folder of the run. If it holds a run on the same pictures, that is continued.",
    required=True,
)
_MINUTES = flags.DEFINE_float(
    "minutes",
    None,
    "Minutes of training after which to stop, not counting the time to build graphs. "
    "By default Trainer.steps are trained.",
    lower_bound=0.0,
)
_TRANSFER_FROM = flags.DEFINE_string(
    "transfer_from",
    None,
    "Trained model whose networks a new run begins with: the folder of a run or of a "
    "published generator, a checkpoint of a run, or pretrained:NAME. It may have "
    "another resolution; then what fits is taken, and the rest begins anew.",
)
_DISTRIBUTION = flags.DEFINE_enum(
    "distribution",
    "auto",
    ["auto", "one_machine", "several_machines"],
    "Where to train: on all GPUs of one machine, or on those of all machines that the "
    "environment variable TF_CONFIG describes. By default on several machines if it "
    "describes more than one task.",
)
_DRY_RUN = flags.DEFINE_boolean(
    "dry_run",
    False,
    "Only print the parts of both networks, the pictures, the devices and the memory, "
    "and train one batch to check it. Nothing is written.",
)


def main(argv: list[str]) -> None:
    """Reads the configuration and trains, or shows what training would do."""
    del argv
    from tf_unsup3d.trained.configuration import Configuration
    from tf_unsup3d.training.dry_run import dry_run
    from tf_unsup3d.training.session import train

    cli.make_repeatable()
    configuration = Configuration.from_files(_GIN_CONFIGS.value, _GIN_BINDINGS.value)
    if _DRY_RUN.value:
        dry_run(
            configuration,
            _DATA_DIR.value,
            _MODEL_DIR.value,
            transfer_from=_TRANSFER_FROM.value,
            distribution=_DISTRIBUTION.value,
        )
        return
    train(
        configuration,
        _DATA_DIR.value,
        _MODEL_DIR.value,
        minutes=_MINUTES.value,
        transfer_from=_TRANSFER_FROM.value,
        distribution=_DISTRIBUTION.value,
    )
    print(f"the run is in {_MODEL_DIR.value}; look at sheet.png and depth.png there")


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
