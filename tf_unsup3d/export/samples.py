"""The files that show a trained generator."""

import pathlib

from tf_unsup3d.export.gallery import depth_sheet, scene_sheet, views
from tf_unsup3d.export.maps import to_uint8
from tf_unsup3d.export.meshes import write_mesh
from tf_unsup3d.export.sheets import write_png
from tf_unsup3d.models.configured import Renderer
from tf_unsup3d.trained import runs


def write_samples(
    model_dir: str,
    output: str,
    seeds: list[int],
    truncation_psi: float = 0.7,
    yaw: float = 0.0,
    pitch: float = 0.0,
    mesh_suffixes: tuple[str, ...] = (".glb", ".obj"),
) -> list[pathlib.Path]:
    """Writes sheets, single pictures and meshes of a run's generator.

    Args:
      model_dir: folder of a run; its `config.gin` must have been read.
      output: folder to write to, made if missing.
      seeds: numbers of the samples.
      truncation_psi: see `runs.sample_scene`.
      yaw: of the single pictures, in degrees.
      pitch: of all pictures, in degrees.
      mesh_suffixes: formats of the meshes.

    Returns:
      The files written.
    """
    generator, _ = runs.load_generator(model_dir)
    renderer = Renderer()
    scene = runs.sample_scene(generator, seeds, truncation_psi)
    folder = pathlib.Path(output)
    files = {
        folder / "sheet.png": scene_sheet(renderer, scene, yaw, pitch),
        folder / "depth.png": depth_sheet(renderer, scene, pitch),
    }
    drawn = renderer(scene, views(len(seeds), yaw, pitch))
    pictures = to_uint8(drawn["picture"].numpy())
    for seed, picture in zip(seeds, pictures, strict=True):
        files[folder / f"picture_{seed:04d}.png"] = picture
    for path, picture in files.items():
        write_png(path, picture)
    written = list(files)
    for index, seed in enumerate(seeds):
        for suffix in mesh_suffixes:
            path = folder / f"mesh_{seed:04d}{suffix}"
            vertices, texture = scene.vertices[index], scene.texture[index]
            write_mesh(path, vertices.numpy(), generator.mesh, texture.numpy())
            written.append(path)
    return written
