"""What `make demo` runs, with less training."""

import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tf_unsup3d.trained.trained_model import load


def demo(folder, *flags):
    """Runs the demo and returns what it prints to standard output."""
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "tf_unsup3d.programs.demo",
            f"--output={folder}",
            *flags,
        ],
        # As for users, who train twice as fast with oneDNN.
        env={k: v for k, v in os.environ.items() if k != "TF_ENABLE_ONEDNN_OPTS"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    # Progress bars alone are there besides.
    assert "WARNING" not in result.stderr and "TensorFlow" not in result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos") / "cats"
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(16):
        pixels = random.integers(0, 255, [64, 64, 3], np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


def test_shows_faces_and_trains_on_photos_in_a_run_of_their_own(photos, tmp_path):
    printed = demo(tmp_path, f"--photos={photos}", "--minutes=0")
    assert printed.index("pretrained:faces128") < printed.index("Training for 0 min")
    assert "beginning with pretrained:heads64" in printed
    shown = [
        pathlib.Path(name) for name in re.findall(r"^  (\S+\.\w+)$", printed, re.M)
    ]
    assert len(shown) == 6 and all(path.is_file() for path in shown)
    with Image.open(tmp_path / "demo-faces" / "turntable.gif") as video:
        assert video.n_frames == 48
    model = load(tmp_path / "demo-photos-cats")
    assert model.step >= 1
    assert "from pretrained:heads64: the generator" in printed


def test_a_missing_folder_of_photos_is_named(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "tf_unsup3d.programs.demo"]
        + [f"--output={tmp_path}", f"--photos={tmp_path / 'nowhere'}", "--minutes=0"],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("error: --photos: there is no folder")
