"""Measures a trained generator.

unsup3d-evaluate --model_dir=RUN --output=DIR --metrics=METRICS

METRICS are any of these, separated by commas; each writes a JSON file into DIR and
prints a table:
  shape         depth against that of heads of known shape: needs --truth_dir
  distribution  FID and KID against real pictures: needs --data_dir
  consistency   how well views of one object agree: needs nothing else
  alarms        how many of 64 objects raise the alarms of training: needs nothing else

docs/evaluation.md says what the numbers mean.
"""

import functools
import pathlib

import numpy as np
from absl import flags

from tf_unsup3d.data.dataset import open_pictures
from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.alarms import report as alarm_report
from tf_unsup3d.evaluation.consistency import measure as consistency
from tf_unsup3d.evaluation.consistency.sheet import consistency_sheet
from tf_unsup3d.evaluation.distribution import features
from tf_unsup3d.evaluation.distribution import measure as distribution
from tf_unsup3d.evaluation.samples import (
    depth_drawing,
    real_batches,
    sample_scenes,
)
from tf_unsup3d.evaluation.shape import measure as shape
from tf_unsup3d.evaluation.shape.pairs import load_head_pairs, sample_pairs
from tf_unsup3d.evaluation.shape.sheet import shape_sheet
from tf_unsup3d.export.maps import to_uint8
from tf_unsup3d.export.sheets import write_png
from tf_unsup3d.files import write_bytes
from tf_unsup3d.programs import cli
from tf_unsup3d.trained.trained_model import TrainedModel, load

METRICS = ("shape", "distribution", "consistency", "alarms")

_BATCH = 64

_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "Folder of a training run.", required=True
)
_METRICS = flags.DEFINE_list(
    "metrics", None, f"What to measure, of {', '.join(METRICS)}.", required=True
)
_TRUTH_DIR = flags.DEFINE_string(
    "truth_dir",
    None,
    "For shape: folder of unsup3d-make-heads, with validation and test pictures of the "
    "run's resolution.",
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
    "'imagenet' to download them. Without, the features are those of a random network.",
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder to write to.", required=True)
_SAMPLES = flags.DEFINE_integer(
    "samples",
    10_000,
    "For shape and distribution: pictures drawn of the generator.",
    lower_bound=16,
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of all chance.", lower_bound=0)
_REFERENCES = flags.DEFINE_string(
    "references",
    None,
    "For shape: file that keeps the scores of the references, which are the same for "
    "all runs: written if missing, else read.",
)

_NEEDED = {"shape": _TRUTH_DIR, "distribution": _DATA_DIR}


def _settings(model: TrainedModel) -> dict[str, str | int]:
    """What every measure depends on, by name."""
    return {
        "model_dir": _MODEL_DIR.value,
        "step": model.step,
        "viewpoints": f"drawn from p_v, {model.viewpoints}",
        "resolution": model.resolution,
        "seed": _SEED.value,
    }


def _write(name: str, report, sheet: np.ndarray | None) -> None:
    """Writes `NAME.json` and, given a sheet, `NAME.png`, and prints the table."""
    output = pathlib.Path(_OUTPUT.value)
    write_bytes(output / f"{name}.json", report.to_json().encode())
    if sheet is not None:
        write_png(output / f"{name}.png", sheet)
    print(report.table())


def measure_shape(model: TrainedModel) -> None:
    """Depth against that of heads of known shape."""
    validation, test = (
        load_head_pairs(_TRUTH_DIR.value, split, model.resolution)
        for split in ("validation", "test")
    )
    samples, seed = _SAMPLES.value, _SEED.value
    scores = shape.cached_reference_scores(
        _REFERENCES.value, validation, test, samples, seed
    )
    pairs = sample_pairs(
        model.generator, model.renderer, model.viewpoints, samples, seed=seed
    )
    scores["generator"], predicted = shape.network_score(
        "generator", pairs, test, samples, seed
    )
    settings = _settings(model) | {
        "truth_dir": _TRUTH_DIR.value,
        "test_pictures": len(test),
        "samples": samples,
        "network_steps": shape.network_steps(samples),
    }
    report = shape.ShapeReport(settings, scores)
    _write("shape", report, shape_sheet(test, *predicted))


def measure_distribution(model: TrainedModel) -> None:
    """FID and KID of the generator's pictures, and of real ones, from other real ones.

    The real pictures are mirrored at random if those of the training were.
    """
    pictures = open_pictures(_DATA_DIR.value, model.resolution)
    count, seed = min(_SAMPLES.value, pictures.count // 2), _SEED.value
    if count < distribution.FEWEST_PICTURES:
        raise UserError(
            f"--data_dir: {_DATA_DIR.value} holds {pictures.count} pictures; to compare"
            f" one half with the other takes {2 * distribution.FEWEST_PICTURES}"
        )
    network = features.open_network(_FEATURE_WEIGHTS.value, model.resolution)
    batches = real_batches(
        pictures, _BATCH, seed=seed, mirror=model.configuration.training.mirror
    )
    real = network.features(
        to_uint8(batch.numpy()) for batch in batches.take(-(-2 * count // _BATCH))
    )
    scenes = sample_scenes(model.generator, model.viewpoints, count, seed=seed)
    generated = network.features(
        to_uint8(model.renderer(*scene)["picture"].numpy()) for scene in scenes
    )
    settings = _settings(model) | {
        "data_dir": _DATA_DIR.value,
        "data_checksum": pictures.checksum,
        "mirror": model.configuration.training.mirror,
        "features": network.name,
        "note": network.note,
    }
    report = distribution.distribution_report(
        settings, generated, real[:count], real[count : 2 * count], seed
    )
    _write("distribution", report, None)


def measure_consistency(model: TrainedModel) -> None:
    """How well views of one object agree, and what view and latent each decide.

    Without light: that of the lamps stays with the camera, so views differ by it.
    """
    unlit = model.renderer.replace(lamps=None)
    draw, seed = depth_drawing(unlit), _SEED.value
    scenes = functools.partial(
        sample_scenes,
        model.generator,
        model.viewpoints,
        consistency.OBJECTS,
        seed=seed,
        name="consistency",
    )
    network = features.open_network(_FEATURE_WEIGHTS.value, model.resolution)
    report = consistency.ConsistencyReport(
        _settings(model)
        | {
            "objects": consistency.OBJECTS,
            "viewpoints_of_variance": consistency.VIEWPOINTS,
            "features": network.name,
        },
        consistency.measure_pairs(draw, scenes, model.viewpoints),
        consistency.measure_variance(draw, scenes, model.viewpoints, network, seed),
    )
    sheet = consistency_sheet(draw, scenes, model.viewpoints)
    _write("consistency", report, sheet)


def measure_alarms(model: TrainedModel) -> None:
    """What each of some objects does in the measures that alarms are about."""
    scenes = sample_scenes(
        model.generator,
        model.viewpoints,
        alarm_report.OBJECTS,
        seed=_SEED.value,
        name="alarms",
    )
    report = alarm_report.alarm_report(
        _settings(model), (scene for scene, _, _ in scenes), model.renderer
    )
    _write("alarms", report, None)


def main(argv: list[str]) -> None:
    """Reads the run's configuration and measures it."""
    del argv
    chosen = _METRICS.value
    unknown = [name for name in chosen if name not in METRICS]
    if unknown or not chosen:
        raise UserError(f"--metrics: {unknown} not among {', '.join(METRICS)}")
    for name in chosen:
        flag = _NEEDED.get(name)
        if flag is not None and not flag.value:
            raise UserError(f"--metrics={name} needs --{flag.name}")
    cli.make_repeatable()
    model = load(_MODEL_DIR.value)
    measures = {
        "shape": measure_shape,
        "distribution": measure_distribution,
        "consistency": measure_consistency,
        "alarms": measure_alarms,
    }
    for name in dict.fromkeys(chosen):
        measures[name](model)


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
