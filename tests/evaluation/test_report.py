"""What is written where nothing was measured."""

import dataclasses
import json

import numpy as np
import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.report import Report
from tf_unsup3d.evaluation.summary import summarize
from tf_unsup3d.files import write_text
from tf_unsup3d.programs.publish import read_scores


@dataclasses.dataclass(frozen=True)
class Measured(Report):
    values: dict[str, float]

    def table(self) -> str:
        return str(self.values)


def refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


def test_a_report_of_nothing_is_json_that_can_be_published(tmp_path):
    values = summarize({"side": np.full([3], np.nan), "mad": np.array([1.0, 3.0])})
    assert values["mad"] == 2.0 and "nan" in Measured({}, values).table()
    text = Measured({"seed": 1}, values).to_json()
    stored = {"side": None, "side_std": None, "mad": 2.0, "mad_std": 1.0}
    assert json.loads(text, parse_constant=refuse)["values"] == stored
    (tmp_path / "shape.json").write_text(text)
    scores = read_scores([str(tmp_path / "shape.json")])
    assert scores["shape"]["values"] == stored


def test_no_score_takes_the_place_of_another(tmp_path):
    paths = [tmp_path / seed / "shape.json" for seed in ("0", "1")]
    for path in paths:
        write_text(path, Measured({"seed": 1}, {}).to_json())
    with pytest.raises(UserError, match="--scores: two files are called shape"):
        read_scores([str(path) for path in paths])
