"""Draws runs below each other: python docs/figures/runs.py FIGURE.png LABEL=RUN ...

Of every run the objects of the seeds 0 and 1, pictures and normals, and at last what is
behind the object from the front. Prints of 256 objects how much darker the backdrop is
behind them than beside them, of a range of 1: one that paints hair is dark there.
"""

import sys

import gin
import numpy as np

from tf_unsup3d.export.maps import normals_to_rgb, to_uint8
from tf_unsup3d.export.scene_sheets import views
from tf_unsup3d.export.sheets import compose_sheet, write_png
from tf_unsup3d.trained import runs

_YAWS = (-45.0, 0.0, 45.0)
_OBJECTS = 256


def _shade_behind(trainer):
    """How much darker backdrops are behind objects than beside them, on average."""
    scene = runs.sample_scene(trainer.average, range(_OBJECTS))
    front = views(_OBJECTS, 0.0)
    brightness = 0.5 * np.mean(trainer.renderer.backdrop(scene, front), -1)
    mask = trainer.renderer(scene, front, outputs=("mask",))["mask"]
    covered = mask.numpy()[..., 0] > 0.5
    return np.mean(
        [
            values[~mask].mean() - values[mask].mean()
            for values, mask in zip(brightness, covered, strict=True)
        ]
    )


def _row(model_dir):
    """The pictures of one run."""
    gin.clear_config()
    runs.read_config(model_dir)
    trainer = runs.load_trainer(model_dir)
    print(
        f"{model_dir}: {_shade_behind(trainer):.3f} darker behind objects", flush=True
    )
    scene = runs.sample_scene(trainer.average, [0, 1])
    columns = []
    for yaw in _YAWS:
        viewpoints = views(2, yaw)
        names = ("picture", "normals", "mask")
        drawn = trainer.renderer(scene, viewpoints, outputs=names)
        picture, normals, mask = (drawn[name].numpy() for name in names)
        columns += [to_uint8(picture), normals_to_rgb(normals, mask)]
    columns.append(to_uint8(trainer.renderer.backdrop(scene, views(2, 0.0))))
    return list(np.concatenate(np.stack(columns, 1)))


if __name__ == "__main__":
    figure, *labelled = sys.argv[1:]
    labels, folders = zip(*(text.split("=", 1) for text in labelled), strict=True)
    titles = [f"{yaw:.0f}°" if k == 0 else "" for yaw in _YAWS for k in range(2)]
    titles = [*titles, "behind"] * 2
    write_png(figure, compose_sheet([_row(f) for f in folders], titles, labels))
