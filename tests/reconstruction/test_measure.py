"""The metric of unsup3d-evaluate, on tiny models."""

import json

import pytest
import tensorflow as tf

from tests.reconstruction.conftest import FIT_STEPS
from tf_unsup3d.evaluation.reconstruction.measure import measure_reconstruction


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


def test_the_report_is_json_with_a_table_and_a_sheet(report):
    content = json.loads(report.to_json())
    assert content["settings"]["samples"] == 4
    assert content["settings"]["steps"] == FIT_STEPS
    table = report.table()
    for word in ("own samples", "heads", "average head", "viewpoint", "flagged"):
        assert word in table
    assert report.sheet.shape[0] > 4 * 96
