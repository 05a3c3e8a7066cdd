"""Draws runs below each other: python docs/figures/runs.py FIGURE.png LABEL=RUN ...

Shows the objects of the seeds 0 and 1 of every run: their pictures and normals, and
last the part of the backdrop that the front view shows. Prints how much darker the
backdrop is behind objects than beside them, as the mean over 256 objects, where
brightness goes from 0 to 1: a backdrop on which hair is painted is dark there.
"""

import sys

import numpy as np
import tensorflow as tf

from tf_unsup3d.export.pictures import normals_to_rgb, to_uint8, write_png
from tf_unsup3d.export.sheets import compose_sheet
from tf_unsup3d.trained.trained_model import load

_YAWS = (-45.0, 0.0, 45.0)
_OBJECTS = 256


def _front_backdrop(model, scene):
    """The part of the backdrops that the front view shows."""
    return model.renderer.backdrop(scene, tf.zeros([scene.vertices.shape[0], 3]))


def _shade_behind(model):
    """How much darker backdrops are behind objects than beside them, on average."""
    scene = model.sample(range(_OBJECTS), truncation_psi=1.0)
    brightness = 0.5 * np.mean(_front_backdrop(model, scene), -1)
    covered = model.draw(scene, outputs=("mask",))["mask"][..., 0] > 0.5
    return np.mean(
        [
            values[~mask].mean() - values[mask].mean()
            for values, mask in zip(brightness, covered, strict=True)
        ]
    )


def _row(folder):
    """The pictures of one run."""
    model = load(folder)
    print(f"{folder}: {_shade_behind(model):.3f} darker behind objects", flush=True)
    scene = model.sample([0, 1], truncation_psi=1.0)
    columns = []
    for yaw in _YAWS:
        drawn = model.draw(scene, yaw, outputs=("picture", "normals", "mask"))
        columns.append(to_uint8(drawn["picture"]))
        columns.append(normals_to_rgb(drawn["normals"], drawn["mask"]))
    columns.append(to_uint8(_front_backdrop(model, scene)))
    return list(np.concatenate(np.stack(columns, 1)))


if __name__ == "__main__":
    figure, *labelled = sys.argv[1:]
    labels, folders = zip(*(text.split("=", 1) for text in labelled), strict=True)
    titles = [f"{yaw:.0f}°" if k == 0 else "" for yaw in _YAWS for k in range(2)]
    titles = [*titles, "behind"] * 2
    write_png(figure, compose_sheet([_row(f) for f in folders], titles, labels))
