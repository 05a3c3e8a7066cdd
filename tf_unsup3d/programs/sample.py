"""Draws samples of a trained model and writes their textured meshes.

unsup3d-sample --model_dir=pretrained:faces64 --output=samples
unsup3d-sample --model_dir=pretrained:faces64 --output=samples --gallery \
    --video=turntable,interpolation
unsup3d-sample --model_dir=pretrained:faces64 --output=samples --count=1000 \
    --formats=glb,usdz
"""

import pathlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags

from tf_unsup3d.errors import UserError
from tf_unsup3d.programs import cli

if TYPE_CHECKING:
    from tf_unsup3d.trained.trained_model import TrainedModel

_MODEL_DIR = flags.DEFINE_string(
    "model_dir",
    None,
    "Trained model: the folder of a run, of a published generator or of a SavedModel "
    "that unsup3d-export wrote, a checkpoint of a run, or pretrained:NAME.",
    required=True,
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder to write to.", required=True)
_SEEDS = flags.DEFINE_string(
    "seeds", "0-7", "Numbers of the samples, such as '3,5' or '0-7'."
)
_COUNT = flags.DEFINE_integer(
    "count",
    None,
    "Number of samples, 0 and up, in place of --seeds. They are written one after "
    "another, so that a hundred thousand fit into memory.",
    lower_bound=1,
    upper_bound=2**31,
)
_TRUNCATION_PSI = flags.DEFINE_float(
    "truncation_psi",
    0.7,
    "1 samples as trained; smaller values stay nearer to the mean object. The video "
    "truncation passes through all values up to 1 whatever this is.",
    lower_bound=-2.0,
    upper_bound=2.0,
)
_YAW = flags.DEFINE_float(
    "yaw",
    0.0,
    "Yaw of the single pictures, in degrees.",
    lower_bound=-360.0,
    upper_bound=360.0,
)
_PITCH = flags.DEFINE_float(
    "pitch",
    0.0,
    "Pitch of all pictures, in degrees.",
    lower_bound=-360.0,
    upper_bound=360.0,
)
_RESOLUTION = flags.DEFINE_integer(
    "resolution",
    None,
    "Height and width of the single pictures; as in training by default.",
    lower_bound=8,
    upper_bound=4096,
)
_FORMATS = flags.DEFINE_list(
    "formats",
    ["glb", "obj"],
    "Formats of the meshes: glb, obj, ply (a colour for each vertex, no texture) and "
    "usdz (needs the extra tf-unsup3d[usd]). Empty for no meshes.",
)
_GALLERY = flags.DEFINE_bool(
    "gallery",
    False,
    "Also write gallery.html, a page that holds the meshes and shows them in any "
    "browser.",
)
_VIDEO = flags.DEFINE_list(
    "video",
    [],
    "Videos to write: turntable (the objects turn), interpolation (one object changes "
    "into the next), mix (every shape with every texture) and truncation (from the "
    "mean object to each object and back).",
)
_VIDEO_FORMAT = flags.DEFINE_enum(
    "video_format",
    "gif",
    ["gif", "mp4", "png"],
    "Format of the videos: gif (at most 2^28 pixels in all frames, which are collected "
    "in memory), mp4 (needs the extra tf-unsup3d[video]), or png for a folder of "
    "numbered pictures.",
)
_INTERPOLATION_SPACE = flags.DEFINE_enum(
    "interpolation_space",
    "w",
    ["w", "z"],
    "w interpolates linearly between styles, z on great circles between latents.",
)

# Number of objects that a page or a video shows at most, and of --seeds.
_MOST_SEEDS = 256
# Side of the largest grid of a mix.
_MOST_MIXED = 12
VIDEOS = ("turntable", "interpolation", "mix", "truncation")


def parse_seeds(text: str) -> list[int]:
    """Reads numbers and ranges, such as "1,4-6".

    Args:
      text: The text.

    Returns:
      The numbers in their order.

    Raises:
      UserError: The text is something else, or holds far too many numbers.
    """
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,10})(?:-(\d{1,10}))?\s*", part)
        if not match:
            raise UserError(f"--seeds: {text!r} is not like '3,5' or '0-7'")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last >= 2**31:
            raise UserError(f"--seeds: {part.strip()!r} is not a range of numbers")
        if len(seeds) + last - first >= _MOST_SEEDS:
            raise UserError(f"--seeds: more than {_MOST_SEEDS} at once")
        seeds.extend(range(first, last + 1))
    return seeds


def main(argv: list[str]) -> None:
    """Loads the model and writes the samples."""
    del argv
    seeds = _read_seeds()
    _check_formats(_FORMATS.value)
    _check_shown(seeds)
    _check_videos(_VIDEO.value, seeds)
    from tf_unsup3d.export.samples import write_samples
    from tf_unsup3d.trained.trained_model import load

    model = load(_MODEL_DIR.value)
    written = write_samples(
        model,
        _OUTPUT.value,
        seeds,
        truncation_psi=_TRUNCATION_PSI.value,
        yaw_degrees=_YAW.value,
        pitch_degrees=_PITCH.value,
        resolution=_RESOLUTION.value,
        mesh_suffixes=tuple(f".{name}" for name in _FORMATS.value),
    )
    folder = pathlib.Path(_OUTPUT.value)
    if _GALLERY.value:
        written.append(_write_gallery(model, seeds, folder))
    for name in _VIDEO.value:
        written += _write_video(model, seeds, name, folder)
    print(f"{len(written)} files in {_OUTPUT.value}")


def _read_seeds() -> Sequence[int]:
    if _COUNT.value is None:
        return parse_seeds(_SEEDS.value)
    if _SEEDS.present:
        raise UserError("--count and --seeds exclude each other")
    return range(_COUNT.value)


def _check_formats(names: list[str]) -> None:
    from tf_unsup3d.export import usdz
    from tf_unsup3d.export.meshes import SUFFIXES

    for name in names:
        if f".{name}" not in SUFFIXES:
            known = ", ".join(suffix.removeprefix(".") for suffix in SUFFIXES)
            raise UserError(f"--formats: {name!r} is none of {known}")
    if "usdz" in names:
        usdz.check_package()


def _check_shown(seeds: Sequence[int]) -> None:
    if len(seeds) > _MOST_SEEDS and (_GALLERY.value or _VIDEO.value):
        raise UserError(f"--gallery and --video show at most {_MOST_SEEDS} samples")


def _check_videos(names: list[str], seeds: Sequence[int]) -> None:
    from tf_unsup3d.export import videos

    if names and _VIDEO_FORMAT.value == "mp4":
        videos.check_ffmpeg()
    for name in names:
        if name not in VIDEOS:
            raise UserError(f"--video: {name!r} is none of {', '.join(VIDEOS)}")
        if name == "interpolation" and len(seeds) < 2:
            raise UserError("--video=interpolation needs at least two seeds")
        if name == "mix" and len(seeds) > _MOST_MIXED:
            raise UserError(f"--video=mix takes at most {_MOST_MIXED} seeds")


def _write_gallery(
    model: "TrainedModel", seeds: Sequence[int], folder: pathlib.Path
) -> pathlib.Path:
    from tf_unsup3d.export.gallery import write_gallery
    from tf_unsup3d.export.texture_fill import fill_hidden_texture

    scene = fill_hidden_texture(model, model.sample(seeds, _TRUNCATION_PSI.value))
    names = [f"seed {seed}" for seed in seeds]
    write_gallery(folder / "gallery.html", model, scene, names, _MODEL_DIR.value)
    return folder / "gallery.html"


def _write_video(
    model: "TrainedModel", seeds: Sequence[int], name: str, folder: pathlib.Path
) -> list[pathlib.Path]:
    from tqdm import tqdm

    from tf_unsup3d.export import animations
    from tf_unsup3d.export.texture_fill import fill_hidden_texture
    from tf_unsup3d.export.videos import write_frames, write_video

    psi, pitch = _TRUNCATION_PSI.value, _PITCH.value
    size = _RESOLUTION.value
    if name == "turntable":
        scene = fill_hidden_texture(model, model.sample(seeds, psi))
        frames = animations.turntable(
            model, scene, pitch_degrees=pitch, resolution=size
        )
    elif name == "interpolation":
        frames = animations.interpolation(
            model,
            seeds,
            truncation_psi=psi,
            space=_INTERPOLATION_SPACE.value,
            yaw_degrees=_YAW.value,
            pitch_degrees=pitch,
            resolution=size,
        )
    elif name == "mix":
        frames = animations.mix(
            model, seeds, truncation_psi=psi, pitch_degrees=pitch, resolution=size
        )
    else:
        frames = animations.truncation(
            model,
            seeds,
            yaw_degrees=_YAW.value,
            pitch_degrees=pitch,
            resolution=size,
        )
    frames = tqdm(frames, desc=name, unit="frame", disable=None)
    if _VIDEO_FORMAT.value == "png":
        return write_frames(folder / name, frames)
    path = folder / f"{name}.{_VIDEO_FORMAT.value}"
    write_video(path, frames)
    return [path]


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
