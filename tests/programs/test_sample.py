"""Samples as a user asks for them."""

import pytest
from PIL import Image

from tf_unsup3d.errors import UserError


@pytest.fixture
def run(run_in_process):
    def run(model_dir, output, *arguments):
        folders = f"--model_dir={model_dir}", f"--output={output}"
        run_in_process("sample", *folders, *arguments)

    return run


def test_gallery_and_videos(small_run, tmp_path, run):
    run(
        small_run,
        tmp_path,
        "--seeds=0-1",
        "--resolution=16",
        "--gallery",
        "--video=turntable,mix",
        "--video_format=png",
    )
    page = (tmp_path / "gallery.html").read_text()
    assert page.count("<model-viewer src=") == 2
    assert "seed 0" in page and "seed 1" in page
    for name, size in (("turntable", (32, 16)), ("mix", (32, 32))):
        frames = sorted((tmp_path / name).iterdir())
        assert len(frames) == 48
        with Image.open(frames[7]) as frame:
            assert frame.size == size


def test_video_in_one_file(small_run, tmp_path, run):
    run(
        small_run,
        tmp_path,
        "--seeds=0-1",
        "--resolution=16",
        "--video=interpolation",
        "--interpolation_space=z",
    )
    with Image.open(tmp_path / "interpolation.gif") as video:
        assert video.n_frames == 48


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--video=spin"], "--video: 'spin' is none of turntable"),
        (["--video=interpolation", "--seeds=3"], "needs at least two seeds"),
        (["--video=mix", "--seeds=0-20"], "takes at most 12 seeds"),
    ],
)
def test_wrong_videos_are_refused_before_anything_is_written(
    small_run, tmp_path, run, arguments, message
):
    with pytest.raises(UserError, match=message):
        run(small_run, tmp_path, *arguments)
    assert not list(tmp_path.iterdir())
