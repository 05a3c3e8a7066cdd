"""What the flags of the demo mean; tests/e2e runs it."""

import types

import pytest

from tf_unsup3d.export import animations, samples, texture_fill, videos
from tf_unsup3d.trained import trained_model
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.training import session


@pytest.mark.parametrize(
    ("flags", "config", "name", "beginning"),
    [
        ([], "demo", "demo-photos-cats", "pretrained:heads64"),
        (["--from_scratch"], "quickstart", "demo-photos-cats-from-scratch", None),
    ],
)
def test_it_begins_with_a_model_or_from_scratch(
    flags, config, name, beginning, run_in_process, tmp_path, monkeypatch
):
    shown, trained = [], []

    def load(source):
        shown.append(source)
        return types.SimpleNamespace(sample=lambda seeds: None)

    def train(*arguments, **options):
        trained.append((*arguments, options))

    monkeypatch.setattr(trained_model, "load", load)
    monkeypatch.setattr(session, "train", train)
    # What is shown would take minutes to draw.
    for module, function in (
        (animations, "turntable"),
        (samples, "write_samples"),
        (texture_fill, "fill_hidden_texture"),
        (videos, "write_video"),
    ):
        monkeypatch.setattr(module, function, lambda *_, **options: None)
    photos, output = tmp_path / "cats", tmp_path / "runs"
    photos.mkdir()
    run_in_process(
        "demo", f"--photos={photos}", f"--output={output}", "--minutes=0.5", *flags
    )
    configuration = Configuration.from_files([f"gin_configs/{config}.gin"])
    options = {"minutes": 0.5, "transfer_from": beginning}
    assert trained == [(configuration, str(photos), str(output / name), options)]
    assert shown == ["pretrained:faces128", str(output / name)]
