"""The order in which the shape of a model is measured."""

import shutil

import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.shape import measure


def test_damaged_meshes_are_found_before_networks_are_trained(
    small_trained, head_set, tmp_path, monkeypatch
):
    damaged = tmp_path / "set"
    shutil.copytree(head_set, damaged)
    path = damaged / "test" / "meshes.npz"
    path.write_bytes(path.read_bytes()[:100])

    def train(*arguments):
        raise AssertionError("the references are computed")

    monkeypatch.setattr(measure, "cached_reference_scores", train)
    with pytest.raises(UserError, match=f"^{path} is not an .npz file"):
        measure.measure_shape(small_trained, damaged, samples=16)
