"""The report of a reconstruction."""

import json
import types

import numpy as np
import pytest

from tf_unsup3d.reconstruction import outputs
from tf_unsup3d.reconstruction.inputs import NamedPicture


def refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


def test_numbers_of_a_batch_outlive_a_failure_in_a_later_one(tmp_path, monkeypatch):
    reconstructed = []

    class StoppedAfterOne:
        def __init__(self, model, encoder):
            pass

        def __call__(self, pictures, *, steps, residual):
            if reconstructed:
                raise KeyboardInterrupt
            reconstructed.append(len(pictures))
            limits = {"error": 0.1}
            return types.SimpleNamespace(flags=[()] * len(pictures), limits=limits)

    monkeypatch.setattr(outputs, "Reconstructor", StoppedAfterOne)
    monkeypatch.setattr(
        outputs,
        "_write_batch",
        lambda model, batch, found, folder: [
            {"name": named.name, "error": float("nan"), "style": [0.5, np.inf]}
            for named in batch
        ],
    )
    picture = np.zeros([16, 16, 3], np.uint8)
    count = outputs.BATCH_SIZE + 1
    pictures = [NamedPicture(f"{i}.png", str(i), picture) for i in range(count)]
    model = types.SimpleNamespace(step=7)
    with pytest.raises(KeyboardInterrupt):
        outputs.reconstruct_files(model, pictures, tmp_path, about={"skipped": {}})
    text = (tmp_path / outputs.REPORT_NAME).read_text()
    report = json.loads(text, parse_constant=refuse)
    assert [entry["name"] for entry in report["pictures"]] == [
        f"{i}.png" for i in range(outputs.BATCH_SIZE)
    ]
    assert report["step"] == 7 and report["limits"] == {"error": 0.1}
    # JSON has neither NaN nor infinity.
    assert report["pictures"][0]["error"] is None
    assert report["pictures"][0]["style"] == [0.5, None]
