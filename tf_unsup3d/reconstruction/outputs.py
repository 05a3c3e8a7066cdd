"""The files of a reconstruction."""

import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from tf_unsup3d.export.animations import turntable
from tf_unsup3d.export.meshes import write_mesh
from tf_unsup3d.export.pictures import write_png
from tf_unsup3d.export.texture_fill import fill_hidden_texture
from tf_unsup3d.export.videos import has_ffmpeg, write_video
from tf_unsup3d.files import without_nan, write_json
from tf_unsup3d.reconstruction.flags import Flag
from tf_unsup3d.reconstruction.inputs import NamedPicture
from tf_unsup3d.reconstruction.reconstructor import (
    BATCH_SIZE,
    STEPS,
    Reconstruction,
    Reconstructor,
)
from tf_unsup3d.reconstruction.sheet import reconstruction_sheet
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.encoder_files import TrainedEncoder
from tf_unsup3d.trained.trained_model import TrainedModel

REPORT_NAME = "reconstruction.json"
# Yaw of the frames of the videos, in degrees: one turn in three seconds.
_YAWS = tuple(360.0 * frame / 36 for frame in range(36))
_FPS = 12.0


def reconstruct_files(
    model: TrainedModel,
    pictures: Sequence[NamedPicture],
    output: str | os.PathLike,
    *,
    encoder: TrainedEncoder | None = None,
    steps: int = STEPS,
    residual: bool = False,
    about: dict[str, Any] | None = None,
) -> dict[str, tuple[Flag, ...]]:
    """Reconstructs pictures and writes what they show, batch by batch.

    For each picture these files are written: the textured mesh `STEM.glb`, a sheet
    `STEM.png` (see `reconstruction_sheet`) and a turntable, `STEM.mp4` where ffmpeg is
    installed and `STEM.gif` otherwise. `reconstruction.json` holds the
    numbers about all of them, and is written anew after each batch. Existing files of
    these names are replaced.

    Args:
      model: The model.
      pictures: The pictures, at least one.
      output: Folder to write to, which is created if necessary.
      encoder: The encoder; by default the one in the folder of the model.
      steps: See `Reconstructor`.
      residual: See `Reconstructor`.
      about: What `reconstruction.json` holds besides.

    Returns:
      The flags of each picture by its name.

    Raises:
      UserError: There is no encoder, or a file cannot be written.
    """
    folder = pathlib.Path(output)
    reconstructor = Reconstructor(model, encoder)
    entries: list[dict[str, Any]] = []
    flags: dict[str, tuple[Flag, ...]] = {}
    for first in range(0, len(pictures), BATCH_SIZE):
        batch = pictures[first : first + BATCH_SIZE]
        found = reconstructor(
            np.stack([named.picture for named in batch]),
            steps=steps,
            residual=residual,
        )
        entries += _write_batch(model, batch, found, folder)
        flags.update(zip([named.name for named in batch], found.flags, strict=True))
        content = {
            **(about or {}),
            "step": model.step,
            "steps": steps,
            "residual": residual,
            "limits": found.limits,
            "pictures": entries,
        }
        write_json(folder / REPORT_NAME, without_nan(content))
    return flags


def _write_batch(
    model: TrainedModel,
    batch: Sequence[NamedPicture],
    found: Reconstruction,
    folder: pathlib.Path,
) -> Iterable[dict[str, Any]]:
    """Writes the files of a batch, and returns what the report says about it."""
    scene = fill_hidden_texture(model, found.scene)
    video = ".mp4" if has_ffmpeg() else ".gif"
    entries = []
    for index, named in enumerate(tqdm(batch, desc="files", disable=None)):
        chosen = slice(index, index + 1)
        one = Scene(*(value[chosen] for value in scene))
        paths = {
            kind: folder / f"{named.stem}{suffix}"
            for kind, suffix in (("mesh", ".glb"), ("sheet", ".png"), ("video", video))
        }
        write_mesh(
            paths["mesh"], one.vertices[0].numpy(), model.mesh, one.texture[0].numpy()
        )
        sheet = reconstruction_sheet(model, found.take(chosen), one)
        write_png(paths["sheet"], sheet)
        write_video(paths["video"], turntable(model, one, yaws_degrees=_YAWS), _FPS)
        files = {kind: path.name for kind, path in paths.items()}
        entries.append({"name": named.name, "files": files, **_numbers(found, index)})
    return entries


def _numbers(found: Reconstruction, index: int) -> dict[str, Any]:
    """What the report says about a picture."""
    angles = found.viewpoints_degrees[index].tolist()
    return {
        "explained": not found.flags[index],
        "flags": [
            {"measure": flag.measure, "value": flag.value, "limit": flag.limit}
            for flag in found.flags[index]
        ],
        "measures": {
            name: float(values[index]) for name, values in found.measures.items()
        },
        "error": float(found.errors[index]),
        "viewpoint_degrees": dict(zip(("yaw", "pitch", "roll"), angles, strict=True)),
        "framing": {
            "right": float(found.framing.shift[index, 0]),
            "down": float(found.framing.shift[index, 1]),
            "scale": float(found.framing.scale[index]),
        },
        "light": found.light[index].tolist(),
        "style": found.styles[index].tolist(),
        "seconds": found.seconds,
    }
