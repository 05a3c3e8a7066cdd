"""Pictures that are spoiled in various ways, as photographs are."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from tf_unsup3d.data.pictures import load_picture
from tf_unsup3d.evaluation.shape.pairs import DepthPairs

_Filter = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _blurred(radius: float) -> _Filter:
    def spoil(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        del rng
        image = Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius))
        return np.asarray(image)

    return spoil


def _darkened(factor: float) -> _Filter:
    return lambda picture, rng: _to_bytes(factor * picture)


def _noisy(deviation: float) -> _Filter:
    return lambda picture, rng: _to_bytes(
        picture + 255.0 * rng.normal(0.0, deviation, picture.shape)
    )


def _grey(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    del rng
    return np.asarray(Image.fromarray(picture).convert("L").convert("RGB"))


def _compressed(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    del rng
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=20)
    return load_picture(file.getvalue(), len(picture))


def _occluded(part: float) -> _Filter:
    """A square of one colour covers something in the middle half of the picture."""

    def spoil(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        size = len(picture)
        side = round(part * size)
        top, left = (rng.integers(size // 4, 3 * size // 4, 2) - side // 2).clip(0)
        picture = picture.copy()
        picture[top : top + side, left : left + side] = rng.integers(0, 256, 3)
        return picture

    return spoil


def _resized(size: int) -> _Filter:
    """The picture comes as a file of another size."""

    def spoil(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        del rng
        file = io.BytesIO()
        Image.fromarray(picture).resize((size, size)).save(file, "PNG")
        return load_picture(file.getvalue(), len(picture))

    return spoil


SPOILED: dict[str, _Filter] = {
    "as it is": lambda picture, rng: picture,
    "a square of 1/4 of the width in front": _occluded(1 / 4),
    "a square of 3/8 of the width in front": _occluded(3 / 8),
    "blurred by 1 pixel": _blurred(1.0),
    "blurred by 2 pixels": _blurred(2.0),
    "half as bright": _darkened(0.5),
    "a quarter as bright": _darkened(0.25),
    "grey": _grey,
    "noise of 0.1": _noisy(0.1),
    "JPEG of quality 20": _compressed,
    "from 32 x 32 pixels": _resized(32),
    "from 2048 x 2048 pixels": _resized(2048),
}
# Parts of the width by which pictures are moved sideways and down.
SHIFTS = (1 / 32, 1 / 16, 1 / 8)


def spoil(pairs: DepthPairs, change: _Filter, seed: int) -> DepthPairs:
    """Changes pictures, but not where anything is in them."""
    rng = np.random.default_rng(seed)
    pictures = np.stack([change(picture, rng) for picture in pairs.pictures])
    return DepthPairs(pictures, pairs.depth, pairs.mask, pairs.camera)


def shift(pairs: DepthPairs, part: float) -> DepthPairs:
    """Moves pictures and truth to the right and down; borders are repeated."""
    size = pairs.pictures.shape[1]
    source = (np.arange(size) - round(part * size)).clip(0)
    rows, columns = np.ix_(source, source)
    return DepthPairs(
        pairs.pictures[:, rows, columns],
        pairs.depth[:, rows, columns],
        pairs.mask[:, rows, columns],
        pairs.camera,
    )


def _to_bytes(values: np.ndarray) -> np.ndarray:
    return np.rint(values).clip(0, 255).astype(np.uint8)
