import importlib.util
import sys

import imageio.v3
import imageio_ffmpeg
import numpy as np
import PIL.Image
import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.export import videos
from tf_unsup3d.export.videos import write_frames, write_video


def _sweep(height=48, width=64, frames=6):
    # A white bar that moves to the right on grey.
    video = np.full([frames, height, width, 3], 90, np.uint8)
    for index in range(frames):
        video[index, :, 8 * index : 8 * index + 8] = 255
    return video


def test_mp4_is_read_back(tmp_path):
    path = tmp_path / "new" / "turn.mp4"
    write_video(path, _sweep(), fps=12)
    read = imageio.v3.imread(path, plugin="FFMPEG")
    assert read.shape == _sweep().shape
    assert np.abs(read.astype(int) - _sweep()).mean() < 6
    metadata = imageio.v3.immeta(path, plugin="FFMPEG")
    assert metadata["fps"] == pytest.approx(12)
    assert metadata["pix_fmt"].startswith("yuv420p")
    assert [file.name for file in path.parent.iterdir()] == ["turn.mp4"]


def test_odd_sizes_are_padded(tmp_path):
    write_video(tmp_path / "turn.mp4", _sweep(47, 61))
    read = imageio.v3.imread(tmp_path / "turn.mp4", plugin="FFMPEG")
    assert read.shape == (6, 48, 62, 3)
    assert np.abs(read[:, :47, :61].astype(int) - _sweep(47, 61)).mean() < 6


def test_gif_is_read_back(tmp_path):
    write_video(tmp_path / "turn.gif", _sweep(), fps=10)
    with PIL.Image.open(tmp_path / "turn.gif") as image:
        assert (image.n_frames, image.info["duration"]) == (6, 100)
        assert image.info["loop"] == 0
        for index, frame in enumerate(_sweep()):
            image.seek(index)
            read = np.asarray(image.convert("RGB"))
            assert np.abs(read.astype(int) - frame).max() <= 2


@pytest.mark.parametrize("name", ["turn.mp4", "turn.gif"])
def test_unwritable_path_is_named(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=rf"cannot write .*file/{name}"):
        write_video(tmp_path / "file" / name, _sweep())


def test_wrong_input_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"turn.avi: .*\.mp4 or \.gif"):
        write_video(tmp_path / "turn.avi", _sweep())
    with pytest.raises(ValueError, match="uint8, got .* float32"):
        write_video(tmp_path / "turn.mp4", _sweep().astype(np.float32))
    with pytest.raises(ValueError, match="must not be empty"):
        write_video(tmp_path / "turn.mp4", _sweep()[:0])
    with pytest.raises(ValueError, match="of the same size"):
        write_video(tmp_path / "turn.gif", [_sweep()[0], _sweep(height=20)[0]])
    with pytest.raises(ValueError, match="must not be empty"):
        write_frames(tmp_path, [])
    assert not list(tmp_path.iterdir())


def test_only_mp4_needs_ffmpeg_and_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    # Imported once more, to see that the import needs nothing either.
    spec = importlib.util.spec_from_file_location("videos_alone", videos.__file__)
    alone = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(alone)
    with pytest.raises(UserError, match=r"pip install 'tf-unsup3d\[video\]'"):
        alone.write_video(tmp_path / "turn.mp4", _sweep())
    assert not list(tmp_path.iterdir())
    alone.write_video(tmp_path / "turn.gif", _sweep())
    assert [path.name for path in tmp_path.iterdir()] == ["turn.gif"]


def test_without_the_program_of_ffmpeg_the_package_is_of_no_use(tmp_path, monkeypatch):
    def missing():
        raise RuntimeError("No ffmpeg exe could be found")

    assert videos.has_ffmpeg()
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", missing)
    assert not videos.has_ffmpeg()
    with pytest.raises(UserError, match="with a program ffmpeg"):
        write_video(tmp_path / "turn.mp4", _sweep())


@pytest.mark.parametrize("folder", ["run-12:30", "-out", "http:"])
def test_no_folder_is_an_option_or_a_protocol(tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    write_video(f"{folder}/turn.mp4", _sweep())
    assert (tmp_path / folder / "turn.mp4").stat().st_size > 1000


@pytest.mark.parametrize("kept", [0, 400])
def test_an_mp4_that_ffmpeg_left_unfinished_is_no_file(tmp_path, monkeypatch, kept):
    write = imageio_ffmpeg.write_frames

    def writer(path, *arguments, **options):
        inner = write(path, *arguments, **options)

        class Writer:
            send = inner.send

            def close(self):
                inner.close()
                with open(path, "r+b") as file:
                    file.truncate(kept)

        return Writer()

    monkeypatch.setattr(imageio_ffmpeg, "write_frames", writer)
    with pytest.raises(UserError, match=r"turn\.mp4: ffmpeg wrote 0 of \d+ frames"):
        write_video(tmp_path / "turn.mp4", _sweep())
    assert not list(tmp_path.iterdir())


def test_frames_come_from_a_generator_one_by_one(tmp_path):
    class Counted(Exception):
        pass

    def endless():
        for count, frame in enumerate(_sweep()):
            # What is written begins before all frames are there.
            assert count < 2 or list(tmp_path.iterdir())
            yield frame
        raise Counted

    for name in ("turn.gif", "turn.mp4"):
        with pytest.raises(Counted):
            write_video(tmp_path / name, endless())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("fps", [0, -1, np.inf, np.nan])
def test_rates_are_positive(tmp_path, fps):
    with pytest.raises(ValueError, match="fps must be a positive number"):
        write_video(tmp_path / "turn.gif", _sweep(), fps=fps)


def test_frames_as_numbered_pictures(tmp_path):
    paths = write_frames(tmp_path / "frames", iter(_sweep()))
    assert [path.name for path in paths] == [f"{i:04}.png" for i in range(6)]
    for path, frame in zip(paths, _sweep(), strict=True):
        with PIL.Image.open(path) as picture:
            np.testing.assert_array_equal(np.asarray(picture), frame)


def test_no_frames_of_a_longer_video_are_left(tmp_path):
    write_frames(tmp_path, iter(_sweep()))
    (tmp_path / "0009.png").write_bytes(b"another picture")
    paths = write_frames(tmp_path, _sweep()[:2])
    assert sorted(tmp_path.iterdir()) == [*paths, tmp_path / "0009.png"]


def test_a_gif_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(videos, "MOST_GIF_PIXELS", 5 * 48 * 64)
    with pytest.raises(UserError, match="at most 5 frames of 64 x 48 pixels; write an"):
        write_video(tmp_path / "turn.gif", _sweep(frames=6))
    assert not list(tmp_path.iterdir())
    write_video(tmp_path / "turn.gif", _sweep(frames=5))
