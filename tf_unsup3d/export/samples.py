"""Files that show what a trained model makes."""

import pathlib
from collections.abc import Sequence

from tqdm import tqdm

from tf_unsup3d.export.drawing import draw_pictures
from tf_unsup3d.export.meshes import write_mesh
from tf_unsup3d.export.pictures import write_png
from tf_unsup3d.export.scene_sheets import depth_sheet, scene_sheet
from tf_unsup3d.export.texture_fill import fill_hidden_texture
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.trained_model import TrainedModel

# Number of objects that are in memory at once, and that the sheets show at most.
BATCH_SIZE = 16


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

    Objects are made and written in batches, and large pictures are drawn one by one, so
    that of each only the paths are kept in memory. The sheets show those of the first
    batch. Textures are continued where no picture of training could show them; see
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
      The paths of the files, sheets first. The files that come with an `.obj` are not
      listed.

    Raises:
      UserError: A file cannot be written.
    """
    folder = pathlib.Path(output)
    written: list[pathlib.Path] = []
    renderer = model.renderer.replace(resolution=resolution or model.resolution)
    with tqdm(total=len(seeds), desc="samples", unit="object", disable=None) as bar:
        for first in range(0, len(seeds), BATCH_SIZE):
            batch = seeds[first : first + BATCH_SIZE]
            scene = fill_hidden_texture(model, model.sample(batch, truncation_psi))
            if first == 0:
                sheets = {
                    "sheet.png": scene_sheet(model, scene, yaw_degrees, pitch_degrees),
                    "depth.png": depth_sheet(model, scene, pitch_degrees),
                }
                for name, sheet in sheets.items():
                    write_png(folder / name, sheet)
                    written.append(folder / name)
            pictures = draw_pictures(renderer, scene, yaw_degrees, pitch_degrees)
            for index, (seed, picture) in enumerate(zip(batch, pictures, strict=True)):
                path = folder / f"picture_{seed:04d}.png"
                write_png(path, picture)
                written.append(path)
                written += _write_meshes(
                    model, scene, index, folder / f"mesh_{seed:04d}", mesh_suffixes
                )
                bar.update()
    return written


def _write_meshes(
    model: TrainedModel,
    scene: Scene,
    index: int,
    stem: pathlib.Path,
    suffixes: tuple[str, ...],
) -> list[pathlib.Path]:
    """Writes an object of a scene in several formats."""
    paths = [stem.with_name(f"{stem.name}{suffix}") for suffix in suffixes]
    for path in paths:
        vertices, texture = scene.vertices[index].numpy(), scene.texture[index].numpy()
        write_mesh(path, vertices, model.mesh, texture)
    return paths
