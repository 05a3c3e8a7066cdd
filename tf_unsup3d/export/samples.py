"""Files that show what a trained model makes."""

import pathlib
from collections.abc import Sequence

from tf_unsup3d.export.meshes import write_mesh
from tf_unsup3d.export.pictures import to_uint8, write_png
from tf_unsup3d.export.scene_sheets import depth_sheet, scene_sheet
from tf_unsup3d.export.texture_fill import fill_hidden_texture
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
    """Writes sheets of random objects, and a picture and meshes of each of them.

    Their textures are continued where no picture of training could show them; see
    `fill_hidden_texture`.

    Args:
      model: The trained model.
      output: The folder to write to. It is created if necessary.
      seeds: Seed of each object, a non-negative integer.
      truncation_psi: See `TrainedModel.styles`. The default trades some variety for
        typical objects.
      yaw_degrees: Yaw of the single pictures, and of the picture and the normals in
        the first sheet.
      pitch_degrees: Pitch of all views.
      resolution: Height and width of the single pictures in pixels; by default those
        of training.
      mesh_suffixes: Formats of the meshes; see `write_mesh`.

    Returns:
      The paths of the files, pictures first. The files that come with an `.obj` are
      not listed.

    Raises:
      UserError: A file cannot be written.
    """
    scene = fill_hidden_texture(model, model.sample(seeds, truncation_psi))
    folder = pathlib.Path(output)
    files = {
        folder / "sheet.png": scene_sheet(model, scene, yaw_degrees, pitch_degrees),
        folder / "depth.png": depth_sheet(model, scene, pitch_degrees),
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
