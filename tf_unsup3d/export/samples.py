"""The files that show a trained model."""

import pathlib
from collections.abc import Sequence

from tf_unsup3d.export.maps import to_uint8
from tf_unsup3d.export.meshes import write_mesh
from tf_unsup3d.export.scene_sheets import depth_sheet, scene_sheet
from tf_unsup3d.export.sheets import write_png
from tf_unsup3d.trained.trained_model import TrainedModel


def write_samples(
    model: TrainedModel,
    output: str | pathlib.Path,
    seeds: Sequence[int],
    *,
    truncation_psi: float = 0.7,
    yaw_degrees: float = 0.0,
    pitch_degrees: float = 0.0,
    resolution: int | None = None,
    mesh_suffixes: tuple[str, ...] = (".glb", ".obj"),
) -> list[pathlib.Path]:
    """Writes sheets, single pictures and meshes of numbered random objects.

    Args:
      model: The trained model.
      output: Folder to write to, made if missing.
      seeds: Numbers of the samples.
      truncation_psi: See `TrainedModel.styles`.
      yaw_degrees: Yaw of the single pictures.
      pitch_degrees: Pitch of all pictures.
      resolution: Height and width of the single pictures; as in training by default.
      mesh_suffixes: Formats of the meshes.

    Returns:
      The files written.

    Raises:
      UserError: A file cannot be written.
    """
    scene = model.sample(seeds, truncation_psi)
    folder = pathlib.Path(output)
    files = {
        folder / "sheet.png": scene_sheet(
            model.renderer, scene, yaw_degrees, pitch_degrees
        ),
        folder / "depth.png": depth_sheet(model.renderer, scene, pitch_degrees),
    }
    drawn = model.draw(scene, yaw_degrees, pitch_degrees, resolution=resolution)
    for seed, picture in zip(seeds, to_uint8(drawn["picture"]), strict=True):
        files[folder / f"picture_{seed:04d}.png"] = picture
    for path, picture in files.items():
        write_png(path, picture)
    written = list(files)
    for index, seed in enumerate(seeds):
        for suffix in mesh_suffixes:
            path = folder / f"mesh_{seed:04d}{suffix}"
            vertices, texture = scene.vertices[index], scene.texture[index]
            write_mesh(path, vertices.numpy(), model.mesh, texture.numpy())
            written.append(path)
    return written
