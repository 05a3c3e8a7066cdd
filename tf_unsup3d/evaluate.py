"""Measures a trained generator.

unsup3d-evaluate --model_dir=RUN --metrics=shape --truth_dir=HEADS --output=DIR

docs/evaluation.md says what the numbers mean.
"""

import pathlib

from absl import flags

from tf_unsup3d import cli
from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation import shape
from tf_unsup3d.evaluation.pairs import load_head_pairs, sample_pairs
from tf_unsup3d.evaluation.shape_sheet import shape_sheet
from tf_unsup3d.export.files import write_bytes
from tf_unsup3d.export.sheets import write_png
from tf_unsup3d.training import runs

METRICS = ("shape",)

_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "Folder of a training run.", required=True
)
_METRICS = flags.DEFINE_list(
    "metrics", list(METRICS), f"What to measure, of {', '.join(METRICS)}."
)
_TRUTH_DIR = flags.DEFINE_string(
    "truth_dir",
    None,
    "Folder of unsup3d-make-heads, with validation and test pictures of the run's "
    "resolution.",
    required=True,
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder to write to.", required=True)
_SAMPLES = flags.DEFINE_integer(
    "samples", 10_000, "Pictures drawn of the generator.", lower_bound=16
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of all chance.", lower_bound=0)
_REFERENCES = flags.DEFINE_string(
    "references",
    None,
    "File that keeps the scores of the references, which are the same for all runs: "
    "written if missing, else read.",
)


def measure_shape() -> None:
    """Writes `shape.json` and `shape.png`, and prints the table."""
    trainer = runs.load_trainer(_MODEL_DIR.value)
    validation, test = (
        load_head_pairs(_TRUTH_DIR.value, split, trainer.resolution)
        for split in ("validation", "test")
    )
    samples, seed = _SAMPLES.value, _SEED.value
    scores = shape.cached_reference_scores(
        _REFERENCES.value, validation, test, samples, seed
    )
    pairs = sample_pairs(
        trainer.average, trainer.renderer, trainer.viewpoints, samples, seed=seed
    )
    scores["generator"], predicted = shape.network_score(
        "generator", pairs, test, samples, seed
    )
    report = shape.ShapeReport(
        {
            "model_dir": _MODEL_DIR.value,
            "step": int(trainer.step.numpy()),
            "truth_dir": _TRUTH_DIR.value,
            "test_pictures": len(test),
            "resolution": trainer.resolution,
            "samples": samples,
            "network_steps": shape.network_steps(samples),
            "seed": seed,
        },
        scores,
    )
    output = pathlib.Path(_OUTPUT.value)
    write_bytes(output / "shape.json", report.to_json().encode())
    write_png(output / "shape.png", shape_sheet(test, *predicted))
    print(report.table())


def main(argv: list[str]) -> None:
    """Reads the run's configuration and measures it."""
    del argv
    unknown = [name for name in _METRICS.value if name not in METRICS]
    if unknown or not _METRICS.value:
        raise UserError(f"--metrics: {unknown} not among {', '.join(METRICS)}")
    runs.make_repeatable()
    runs.read_config(_MODEL_DIR.value)
    if "shape" in _METRICS.value:
        measure_shape()


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
