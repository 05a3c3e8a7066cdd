"""Draws docs/figures/reconstruction.png.

    python docs/figures/reconstruction.py HEADS [ENCODER]

HEADS is a folder of unsup3d-make-heads with test pictures of 64 x 64 pixels, ENCODER
the folder of an encoder of pretrained:heads64 if the package has none. Eight test heads
chosen by a seed are reconstructed, and a drawing of a cat.
"""

import pathlib
import sys

import numpy as np
import PIL.Image
import PIL.ImageDraw

import tf_unsup3d
from tf_unsup3d.evaluation.shape.pairs import load_head_pairs
from tf_unsup3d.export.pictures import write_png
from tf_unsup3d.reconstruction.sheet import reconstruction_sheet
from tf_unsup3d.trained.encoder_files import read_encoder

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


def main(heads: str, encoder: str | None = None) -> None:
    model = tf_unsup3d.load("pretrained:heads64")
    found = read_encoder(pathlib.Path(encoder), model.generator) if encoder else None
    test = load_head_pairs(heads, "test", model.resolution, model.camera)
    chosen = np.random.default_rng(0).choice(len(test), 8, replace=False)
    pictures = np.concatenate([test.pictures[np.sort(chosen)], cat()[None]])
    reconstruction = tf_unsup3d.Reconstructor(model, found)(pictures)
    write_png(
        pathlib.Path(__file__).with_name("reconstruction.png"),
        reconstruction_sheet(model, reconstruction),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
