"""Samples are the objects of their seeds, in whatever batches they are made."""

import numpy as np
import trimesh
from PIL import Image

from tf_unsup3d.export import samples
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.export.texture_fill import fill_hidden_texture
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.trained_model import load


def test_each_seed_has_its_own_picture_and_mesh(pivoting_model, tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "BATCH_SIZE", 2)
    model = pivoting_model
    options = dict(truncation_psi=0.4, yaw_degrees=20.0, pitch_degrees=5.0)
    samples.write_samples(model, tmp_path, [5, 3, 8], **options)
    check_sample(model, tmp_path, 3, 0.4, 20.0, 5.0)
    check_sample(model, tmp_path, 8, 0.4, 20.0, 5.0)


def check_sample(model, folder, seed, psi, yaw, pitch):
    """Compares a picture and a mesh with those of the seed alone."""
    scene = fill_hidden_texture(model, model.sample([seed], psi))
    (expected,) = to_uint8(model.draw(scene, yaw, pitch)["picture"])
    with Image.open(folder / f"picture_{seed:04d}.png") as picture:
        np.testing.assert_allclose(np.asarray(picture).astype(int), expected, atol=1)
    mesh = trimesh.load_mesh(folder / f"mesh_{seed:04d}.glb", process=False)
    corners = scene.vertices.numpy()[0][model.mesh.triangles]
    # In the axes of glTF.
    np.testing.assert_allclose(mesh.triangles, corners * [1, -1, -1], atol=1e-4)


def test_flags_say_what_is_drawn(pivoting_model, tmp_path, run_in_process):
    published, output = tmp_path / "published", tmp_path / "samples"
    model_folder.publish(
        published,
        pivoting_model.generator,
        pivoting_model.configuration,
        pivoting_model.card,
    )
    run_in_process(
        "sample",
        f"--model_dir={published}",
        f"--output={output}",
        *("--seeds=3", "--truncation_psi=0.3", "--yaw=-25", "--pitch=8"),
        "--formats=glb",
    )
    check_sample(load(published), output, 3, 0.3, -25.0, 8.0)
