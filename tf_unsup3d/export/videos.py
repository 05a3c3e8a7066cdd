"""Moving pictures as files: MP4 (H.264), animated GIF and folders of PNG files."""

import contextlib
import itertools
import math
import os
import pathlib
from collections.abc import Iterable, Iterator

import numpy as np
import PIL.Image

from tf_unsup3d.errors import UserError
from tf_unsup3d.export.pictures import write_png
from tf_unsup3d.files import replacing, writing

SUFFIXES = (".mp4", ".gif")
# Most pixels of all frames of a GIF, such as those of 128 frames of 2,048 x 1,024.
MOST_GIF_PIXELS = 2**28


def write_video(
    path: str | os.PathLike[str], frames: Iterable[np.ndarray], fps: float = 25.0
) -> None:
    """Writes frames as a video; the suffix of the path chooses the format.

    Frames are taken one by one, so they may come from a generator.

    A GIF is collected in memory, so its frames may have at most `MOST_GIF_PIXELS` in
    all.

    Odd sizes, which players of H.264 refuse, are padded by repeating the last row or
    column. A GIF repeats for ever. It stores durations in hundredths of a second, and
    viewers show at most 50 frames a second.

    Args:
      path: The file to write, `.mp4` or `.gif`. Its folder is created if necessary.
      frames: `[height, width, 3]` uint8 each, all of the same size.
      fps: Number of frames per second, positive.

    Raises:
      UserError: The suffix is unknown, the file cannot be written, a GIF would be too
        large, or an MP4 is asked for without ffmpeg.
      ValueError: Frames differ in size, have the wrong shape or type, or there are
        none, or their rate is not positive.
    """
    if not 0.0 < fps < math.inf:
        raise ValueError(f"fps must be a positive number, got {fps}")
    path = pathlib.Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"cannot write {path}: a video file must end in {' or '.join(SUFFIXES)}"
        )
    write = _write_gif if suffix == ".gif" else _write_mp4
    checked = _checked(frames)
    first = next(checked, None)
    if first is None:
        raise ValueError("frames must not be empty")
    with replacing(path) as temporary:
        write(pathlib.Path(temporary), first, checked, fps)


def write_frames(
    folder: str | os.PathLike[str], frames: Iterable[np.ndarray]
) -> list[pathlib.Path]:
    """Writes frames as numbered PNG files, for programs that cut videos.

    Files of the numbers that follow, which a longer video left there, are removed.

    Args:
      folder: The folder to write to, which is created if necessary.
      frames: As in `write_video`.

    Returns:
      The files, `0000.png` and so on.

    Raises:
      UserError: A file cannot be written or removed.
      ValueError: As in `write_video`.
    """
    names = (pathlib.Path(folder) / f"{number:04}.png" for number in itertools.count())
    paths = []
    for frame in _checked(frames):
        paths.append(next(names))
        write_png(paths[-1], frame)
    if not paths:
        raise ValueError("frames must not be empty")
    with writing(folder):
        for path in itertools.takewhile(pathlib.Path.exists, names):
            path.unlink()
    return paths


def has_ffmpeg() -> bool:
    """Whether what writes MP4 is there: the package imageio-ffmpeg, and its program."""
    try:
        import imageio_ffmpeg

        imageio_ffmpeg.get_ffmpeg_exe()
    # On some platforms the package comes without the program.
    except (ImportError, RuntimeError):
        return False
    return True


def check_ffmpeg() -> None:
    """Checks that what writes MP4 is there.

    Raises:
      UserError: It is not.
    """
    if not has_ffmpeg():
        raise UserError(
            "MP4 needs the package imageio-ffmpeg, with a program ffmpeg: pip install "
            "'tf-unsup3d[video]'; a path that ends in .gif needs nothing more"
        )


def _checked(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    shape = None
    for frame in frames:
        shape = shape or frame.shape
        if frame.dtype != np.uint8 or len(shape) != 3 or shape[-1] != 3:
            raise ValueError(
                "frames must be [height, width, 3] uint8,"
                f" got {frame.shape} {frame.dtype}"
            )
        if frame.shape != shape:
            raise ValueError(
                f"frames must be of the same size, got {shape} and {frame.shape}"
            )
        yield frame


def _write_gif(
    path: pathlib.Path, first: np.ndarray, others: Iterator[np.ndarray], fps: float
) -> None:
    height, width, _ = first.shape
    most = MOST_GIF_PIXELS // (height * width)

    def bounded() -> Iterator[PIL.Image.Image]:
        for number, frame in enumerate(others, start=2):
            if number > most:
                raise UserError(
                    f"a GIF has at most {most} frames of {width} x {height} pixels; "
                    "write an MP4 or PNG files"
                )
            yield PIL.Image.fromarray(frame)

    PIL.Image.fromarray(first).save(
        path,
        format="GIF",
        save_all=True,
        append_images=bounded(),
        duration=max(20, round(100 / fps) * 10),
        loop=0,
    )


def _write_mp4(
    path: pathlib.Path, first: np.ndarray, others: Iterator[np.ndarray], fps: float
) -> None:
    check_ffmpeg()
    import imageio_ffmpeg

    # Created here first, because ffmpeg would bury the reason for a failure in its log.
    path.touch()
    # It would take the beginning of a relative path for a protocol or an option.
    name = str(path.absolute())
    height, width, _ = first.shape
    padding = ((0, height % 2), (0, width % 2), (0, 0))
    writer = imageio_ffmpeg.write_frames(
        name,
        (width + width % 2, height + height % 2),
        fps=fps,
        codec="libx264",
        quality=8,
        macro_block_size=2,
        ffmpeg_log_level="error",
    )
    with contextlib.closing(writer):
        writer.send(None)
        sent = 0
        for frame in itertools.chain([first], others):
            writer.send(np.ascontiguousarray(np.pad(frame, padding, mode="edge")))
            sent += 1
    # ffmpeg's exit status is not passed on, and it may have failed at the very end.
    try:
        written, _ = imageio_ffmpeg.count_frames_and_secs(name)
    except RuntimeError:
        written = 0
    if written != sent:
        raise OSError(f"ffmpeg wrote {written} of {sent} frames")
