"""What is written where nothing was measured."""

import dataclasses
import json

import numpy as np

from tf_unsup3d.evaluation.report import Report
from tf_unsup3d.evaluation.summary import summarize
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
    assert json.loads(text, parse_constant=refuse)["values"]["side"] is None
    (tmp_path / "shape.json").write_text(text)
    scores = read_scores([str(tmp_path / "shape.json")])
    assert scores["shape"]["values"] == {**values, "side": None}
