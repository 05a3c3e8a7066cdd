"""The evaluation as a user runs it."""

import json
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest


def evaluate(model_dir, output, *flags):
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "tf_unsup3d.programs.evaluate",
            f"--model_dir={model_dir}",
        ]
        + [f"--model_dir={model_dir}", f"--output={output}", *flags],
        capture_output=True,
        text=True,
        timeout=300,
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


def test_the_program_measures_shape(trainer, head_set, tmp_path):
    cache = tmp_path / "references.json"
    result = evaluate(
        trainer.model_dir,
        tmp_path / "out",
        "--metrics=shape",
        f"--truth_dir={head_set}",
        "--samples=16",
        f"--references={cache}",
    )
    assert result.returncode == 0, result.stderr
    report = json.loads((tmp_path / "out" / "shape.json").read_text())
    assert report["settings"]["step"] == 1
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


def test_the_program_measures_without_truth(trainer, photos, tmp_path):
    result = evaluate(
        trainer.model_dir,
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
        "reprojection",
        "raised by, of 64",
    ):
        assert words in result.stdout
    with PIL.Image.open(tmp_path / "out" / "consistency.png") as sheet:
        assert sheet.width > 4 * 96 and sheet.height > 8 * 96


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--metrics=shape"], "error: --metrics=shape needs --truth_dir"),
        (["--metrics=distribution"], "error: --metrics=distribution needs --data_dir"),
        (
            ["--metrics=consistency,fid"],
            "error: --metrics: ['fid'] not among shape, distribution, consistency, "
            "alarms",
        ),
        (
            ["--metrics=consistency", "--feature_weights=nowhere.h5"],
            "error: --feature_weights: there is no file nowhere.h5",
        ),
    ],
)
def test_bad_flags_end_with_one_line(trainer, tmp_path, flags, line):
    result = evaluate(trainer.model_dir, tmp_path / "out", *flags)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == line
    assert "Traceback" not in result.stderr


def test_too_few_pictures_are_refused(trainer, photos, tmp_path):
    for number in range(31, 40):
        (photos / f"{number}.png").unlink()
    result = evaluate(
        trainer.model_dir,
        tmp_path / "out",
        "--metrics=distribution",
        f"--data_dir={photos}",
    )
    assert result.returncode == 1
    assert "photos holds 31 pictures" in result.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()
