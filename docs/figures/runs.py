"""Draws runs below each other: python docs/figures/runs.py FIGURE.png LABEL=RUN ...

Of every run the objects of the seeds 0 and 1, pictures and normals, and at last what is
behind the object from the front.
"""

import sys

import gin
import numpy as np

from tf_unsup3d.export.gallery import views
from tf_unsup3d.export.maps import normals_to_rgb, to_uint8
from tf_unsup3d.export.sheets import compose_sheet, write_png
from tf_unsup3d.training import runs

_YAWS = (-45.0, 0.0, 45.0)


def _row(model_dir):
    """The pictures of one run."""
    gin.clear_config()
    runs.read_config(model_dir)
    trainer = runs.load_trainer(model_dir)
    scene = runs.sample_scene(trainer.average, [0, 1])
    columns = []
    for yaw in _YAWS:
        viewpoints = views(2, yaw)
        picture, _ = trainer.renderer(scene, viewpoints)
        normals, _, mask = trainer.renderer.maps(scene, viewpoints)
        columns += [to_uint8(picture), normals_to_rgb(normals, mask)]
    columns.append(to_uint8(trainer.renderer.backdrop(scene, views(2, 0.0))))
    return list(np.concatenate(np.stack(columns, 1)))


if __name__ == "__main__":
    figure, *labelled = sys.argv[1:]
    labels, folders = zip(*(text.split("=", 1) for text in labelled), strict=True)
    titles = [f"{yaw:.0f}°" if k == 0 else "" for yaw in _YAWS for k in range(2)]
    titles = [*titles, "behind"] * 2
    write_png(figure, compose_sheet([_row(f) for f in folders], titles, labels))
