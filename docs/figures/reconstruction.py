"""Draws docs/figures/reconstruction.png, reconstruction_faces.jpg and photographs.jpg.

    python docs/figures/reconstruction.py HEADS FACES

HEADS is a folder of unsup3d-make-heads with test pictures of 64 x 64 pixels, FACES a
folder of aligned pictures of faces. Eight heads and a drawing of a cat are
reconstructed with pretrained:heads64, and sixteen faces with pretrained:faces128, the
first four of them also with residuals. Heads and faces are chosen by a seed.
"""

import pathlib
import sys

import numpy as np
import PIL.Image
import PIL.ImageDraw

import tf_unsup3d
from tf_unsup3d.evaluation.shape.pairs import load_head_pairs
from tf_unsup3d.reconstruction.inputs import read_pictures
from tf_unsup3d.reconstruction.sheet import reconstruction_sheet

FUR, EYES, NOSE, WHITE = (120, 110, 105), (170, 200, 60), (230, 140, 150), (240,) * 3


def cat() -> np.ndarray:
    image = PIL.Image.new("RGB", (256, 256), (190, 210, 190))
    draw = PIL.ImageDraw.Draw(image)
    for side in (-1, 1):
        ear = [(128 + side * x, y) for x, y in ((68, 90), (58, 10), (8, 60))]
        draw.polygon(ear, FUR)
    draw.ellipse([50, 45, 206, 215], FUR)
    for x in (95, 161):
        draw.ellipse([x - 20, 95, x + 20, 130], EYES)
        draw.ellipse([x - 5, 97, x + 5, 128], 0)
    draw.polygon([(115, 150), (141, 150), (128, 165)], NOSE)
    for side in (-1, 1):
        for y in (160, 172):
            draw.line([(128 + side * 108, y - 6), (128 + side * 28, y)], WHITE, 3)
    return np.asarray(image.resize((64, 64), PIL.Image.Resampling.LANCZOS))


def draw(
    name: str,
    model: tf_unsup3d.TrainedModel,
    pictures: np.ndarray,
    residual: bool = False,
) -> None:
    found = tf_unsup3d.Reconstructor(model)(pictures, residual=residual)
    sheet = reconstruction_sheet(model, found)
    path = pathlib.Path(__file__).with_name(name)
    PIL.Image.fromarray(sheet).save(path, quality=92)


def chosen(count: int, total: int) -> np.ndarray:
    return np.sort(np.random.default_rng(0).choice(total, count, replace=False))


def main(heads: str, faces: str) -> None:
    model = tf_unsup3d.load("pretrained:heads64")
    test = load_head_pairs(heads, "test", model.resolution, model.camera)
    pictures = test.pictures[chosen(8, len(test))]
    draw("reconstruction.png", model, np.concatenate([pictures, cat()[None]]))
    model = tf_unsup3d.load("pretrained:faces128")
    found, _ = read_pictures(faces, model.resolution)
    pictures = np.stack([found[index].picture for index in chosen(16, len(found))])
    draw("reconstruction_faces.jpg", model, pictures)
    draw("photographs.jpg", model, pictures[:4], residual=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
