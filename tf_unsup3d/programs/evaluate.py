"""Measures a trained model.

unsup3d-evaluate --model_dir=RUN --output=DIR --metrics=METRICS

METRICS are any of these, separated by commas; each writes a JSON file into DIR and
prints a table:
  shape         depth against that of heads of known shape: needs --truth_dir
  distribution  FID and KID against real pictures: needs --data_dir
  consistency   how well views of one object agree: needs nothing else
  alarms        how many of 64 objects raise the alarms of training: needs nothing else

docs/evaluation.md says what the numbers mean.
"""

import dataclasses
import pathlib

from absl import flags

from tf_unsup3d.errors import UserError
from tf_unsup3d.programs import cli

_MODEL_DIR = flags.DEFINE_string(
    "model_dir",
    None,
    "Trained model: the folder of a run or of a published generator, or "
    "pretrained:NAME.",
    required=True,
)
_METRICS = flags.DEFINE_list(
    "metrics",
    None,
    "What to measure: shape, distribution, consistency and alarms, or some of them.",
    required=True,
)
_TRUTH_DIR = flags.DEFINE_string(
    "truth_dir",
    None,
    "For shape: folder of unsup3d-make-heads, with validation and test pictures of the "
    "model's resolution.",
)
_DATA_DIR = flags.DEFINE_string(
    "data_dir",
    None,
    "For distribution: real pictures, a folder of unsup3d-prepare-data or of pictures.",
)
_FEATURE_WEIGHTS = flags.DEFINE_string(
    "feature_weights",
    None,
    "For distribution and consistency: file with the weights of Keras' InceptionV3, or "
    "'imagenet' to download them. By default the features are those of a random "
    "network.",
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder to write to.", required=True)
_SAMPLES = flags.DEFINE_integer(
    "samples",
    10_000,
    "For shape and distribution: number of pictures drawn of the model.",
    lower_bound=16,
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of everything random.", lower_bound=0)
_REFERENCES = flags.DEFINE_string(
    "references",
    None,
    "For shape: file that keeps the scores of the references, which are the same for "
    "all models. It is read if it exists, else written.",
)


def _shape(model):
    from tf_unsup3d.evaluation.shape.measure import measure_shape

    measured = measure_shape(
        model,
        _TRUTH_DIR.value,
        samples=_SAMPLES.value,
        seed=_SEED.value,
        references=_REFERENCES.value,
    )
    return measured.report, measured.sheet


def _distribution(model):
    from tf_unsup3d.evaluation.distribution.measure import measure_distribution

    report = measure_distribution(
        model,
        _DATA_DIR.value,
        samples=_SAMPLES.value,
        seed=_SEED.value,
        feature_weights=_FEATURE_WEIGHTS.value,
    )
    return report, None


def _consistency(model):
    from tf_unsup3d.evaluation.consistency.measure import measure_consistency

    measured = measure_consistency(
        model, seed=_SEED.value, feature_weights=_FEATURE_WEIGHTS.value
    )
    return measured.report, measured.sheet


def _alarms(model):
    from tf_unsup3d.evaluation.alarms.report import count_alarms

    return count_alarms(model, seed=_SEED.value), None


_MEASURES = {
    "shape": _shape,
    "distribution": _distribution,
    "consistency": _consistency,
    "alarms": _alarms,
}
_NEEDED = {"shape": _TRUTH_DIR, "distribution": _DATA_DIR}


def _chosen() -> list[str]:
    """The metrics to measure, each once."""
    unknown = [name for name in _METRICS.value if name not in _MEASURES]
    if unknown or not _METRICS.value:
        raise UserError(f"--metrics: {unknown} not among {', '.join(_MEASURES)}")
    for name in _METRICS.value:
        flag = _NEEDED.get(name)
        if flag is not None and not flag.value:
            raise UserError(f"--metrics={name} needs --{flag.name}")
    return list(dict.fromkeys(_METRICS.value))


def main(argv: list[str]) -> None:
    """Loads the model and measures it."""
    del argv
    chosen = _chosen()
    from tf_unsup3d.export.pictures import write_png
    from tf_unsup3d.files import write_text
    from tf_unsup3d.trained.trained_model import load

    cli.make_repeatable()
    model = load(_MODEL_DIR.value)
    output = pathlib.Path(_OUTPUT.value)
    for name in chosen:
        report, sheet = _MEASURES[name](model)
        settings = {"model_dir": _MODEL_DIR.value, **report.settings}
        report = dataclasses.replace(report, settings=settings)
        write_text(output / f"{name}.json", report.to_json())
        if sheet is not None:
            write_png(output / f"{name}.png", sheet)
        print(report.table())


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
