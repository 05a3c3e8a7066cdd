"""The metric of unsup3d-evaluate, on tiny models."""

import json

import pytest
import tensorflow as tf

from tests.reconstruction.conftest import FIT_STEPS
from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.reconstruction import measure as module
from tf_unsup3d.evaluation.reconstruction.measure import measure_reconstruction
from tf_unsup3d.models.encoder import Encoder
from tf_unsup3d.reconstruction.reconstructor import Reconstructor
from tf_unsup3d.trained.weights import weights_checksum


@pytest.fixture(scope="module")
def report(model, encoder, head_set):
    return measure_reconstruction(
        model,
        count=4,
        truth_dir=head_set,
        encoder=encoder,
        steps=FIT_STEPS,
        perceptual=lambda pictures, fits: tf.reduce_max(
            abs(pictures - fits), [1, 2, 3]
        ),
    )


def test_own_samples_are_measured_in_four_ways(report):
    ways = ["encoder", "from the mean", "both", "with residuals"]
    assert list(report.samples) == ways
    errors = [report.samples[way]["error"] for way in ways]
    assert errors[2] < errors[0] and errors[3] < errors[2]
    for way in ways:
        values = report.samples[way]
        assert 0.0 < values["viewpoint"] < 40.0
        assert 0.0 < values["side"] < 3.0 and 0.5 < values["mask_iou"] <= 1.0
        assert values["perceptual"] > values["error"]
    assert 0.0 <= report.samples["both"]["flagged"] <= 1.0
    assert "flagged" not in report.samples["with residuals"]


def test_heads_stand_beside_the_average_head(report):
    assert list(report.heads) == ["average head", "encoder", "both", "with residuals"]
    # An untrained generator knows nothing of heads.
    assert report.heads["average head"]["side"] < report.heads["both"]["side"]


def test_the_report_is_json_with_a_table_and_a_sheet(report, encoder):
    content = json.loads(report.to_json())
    settings = content["settings"]
    assert settings["samples"] == settings["heads"] == 4
    assert settings["steps"] == FIT_STEPS
    assert settings["encoder_steps"] == 120
    assert settings["encoder_seed"] == encoder.card["seed"]
    assert settings["encoder_checksum"] == weights_checksum(encoder.network)
    assert settings["perceptual_network"] == "EfficientNet-Lite0"
    table = report.table()
    for word in ("own samples", "heads", "average head", "viewpoint", "flagged"):
        assert word in table
    assert report.sheet.shape[0] > 4 * 96


def test_wrong_truth_is_found_before_anything_is_reconstructed(
    model, encoder, tmp_path, monkeypatch
):
    def reconstruct(*arguments, **options):
        raise AssertionError("something is reconstructed")

    monkeypatch.setattr(Reconstructor, "fit", reconstruct)
    with pytest.raises(UserError, match="holds no truth"):
        measure_reconstruction(model, count=4, truth_dir=tmp_path, encoder=encoder)


def test_no_graph_is_built_while_the_time_is_taken(model, encoder, monkeypatch):
    built, fits = [], []
    call = Encoder.call

    def counted(self, pictures):
        built.append(pictures.shape)
        return call(self, pictures)

    monkeypatch.setattr(Encoder, "call", counted)

    class Watched(Reconstructor):
        """Records how many graphs of the encoder each fit builds."""

        def fit(self, pictures, **options):
            before = len(built)
            found = super().fit(pictures, **options)
            fits.append(len(built) - before)
            return found

    # Batches of 16 and of 2.
    pairs, viewpoints = module.sample_pairs(model, 18)
    watched = Watched(model, encoder)
    draw = module.depth_drawing(model.renderer)
    module._scores(
        watched, encoder.card, draw, pairs, viewpoints, FIT_STEPS, None, from_mean=False
    )
    assert fits[0] > 0 and fits[1:] == [0, 0]
