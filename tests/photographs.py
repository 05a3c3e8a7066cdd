"""Photographs with faces, made of what the pretrained generator draws."""

import numpy as np
from PIL import Image

from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.trained.trained_model import load


def drawn_faces(count):
    """Pictures of faces, 256 x 256."""
    model = load("pretrained:faces64")
    drawn = to_uint8(model.draw(model.sample(range(count), 0.5))["picture"])
    return [Image.fromarray(face).resize((256, 256)) for face in drawn]


def scene(width, height):
    """A photograph without a face."""
    random = np.random.default_rng(0)
    blobs = random.integers(0, 256, [6, 6, 3], np.uint8)
    return Image.fromarray(blobs).resize((width, height), Image.Resampling.BICUBIC)


def paste(photograph, picture, place):
    """Draws a picture into a square of a photograph."""
    ends = place.points(np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    axes = np.stack([ends[1] - ends[0], ends[2] - ends[0]], axis=1) / picture.width
    matrix = np.linalg.inv(axes)
    shift = -matrix @ ends[0]
    coefficients = (*matrix[0], shift[0], *matrix[1], shift[1])
    mask = Image.new("L", picture.size, 255)
    layers = [
        layer.transform(photograph.size, Image.Transform.AFFINE, coefficients, 3)
        for layer in (picture, mask)
    ]
    photograph.paste(layers[0], (0, 0), layers[1])
