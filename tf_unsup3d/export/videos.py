"""Moving pictures as files: MP4 (H.264) and animated GIF."""

import contextlib
import os
import pathlib

import numpy as np
import PIL.Image

from tf_unsup3d.errors import UserError
from tf_unsup3d.files import replacing

SUFFIXES = (".mp4", ".gif")


def write_video(
    path: str | os.PathLike[str], frames: np.ndarray, fps: float = 25.0
) -> None:
    """Writes frames as a video; the suffix of the path chooses the format.

    Odd sizes, which players of H.264 refuse, are padded by repeating the last row or
    column. A GIF repeats for ever. It stores durations in hundredths of a second, and
    viewers show at most 50 frames a second.

    Args:
      path: The file to write, `.mp4` or `.gif`. Its folder is created if necessary.
      frames: `[frames, height, width, 3]` uint8.
      fps: Number of frames per second.

    Raises:
      UserError: The suffix is unknown, the file cannot be written, or an MP4 is asked
        for without the package imageio-ffmpeg.
      ValueError: Frames have the wrong shape or type, or there are none.
    """
    path = pathlib.Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"cannot write {path}: a video file must end in {' or '.join(SUFFIXES)}"
        )
    frames = np.asarray(frames)
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(
            "frames must be [frames, height, width, 3] uint8,"
            f" got {frames.shape} {frames.dtype}"
        )
    if frames.size == 0:
        raise ValueError(f"frames must not be empty, got {frames.shape}")

    with replacing(path) as temporary:
        if suffix == ".gif":
            _write_gif(temporary, frames, fps)
        else:
            _write_mp4(temporary, frames, fps)


def _write_gif(path: pathlib.Path, frames: np.ndarray, fps: float) -> None:
    first, *others = (PIL.Image.fromarray(frame) for frame in frames)
    first.save(
        path,
        format="GIF",
        save_all=True,
        append_images=others,
        duration=max(20, round(100 / fps) * 10),
        loop=0,
    )


def _write_mp4(path: pathlib.Path, frames: np.ndarray, fps: float) -> None:
    try:
        import imageio_ffmpeg
    except ImportError:
        raise UserError(
            "MP4 needs the package imageio-ffmpeg: pip install 'tf-unsup3d[video]'; a "
            "path that ends in .gif needs nothing more"
        ) from None
    # Created here first, because ffmpeg would bury the reason for a failure in its log.
    path.touch()
    _, height, width, _ = frames.shape
    padding = ((0, 0), (0, height % 2), (0, width % 2), (0, 0))
    frames = np.pad(frames, padding, mode="edge")
    writer = imageio_ffmpeg.write_frames(
        str(path),
        (width + width % 2, height + height % 2),
        fps=fps,
        codec="libx264",
        quality=8,
        macro_block_size=2,
        ffmpeg_log_level="error",
    )
    with contextlib.closing(writer):
        writer.send(None)
        for frame in frames:
            writer.send(np.ascontiguousarray(frame))
