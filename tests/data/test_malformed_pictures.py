"""A thousand malformed pictures: each is decoded or refused with a reason."""

import io

import numpy as np
import pytest
from PIL import Image

from tf_unsup3d.data import pictures

PER_KIND = 90


def encode(mode, file_format, **options):
    random = np.random.default_rng(0)
    image = Image.fromarray(random.integers(0, 256, [40, 36, 3], np.uint8))
    if mode == "I;16":
        values = random.integers(0, 65536, [40, 36], np.uint16)
        image = Image.fromarray(values)
    elif mode != "RGB":
        image = image.convert(mode)
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def exif():
    values = Image.Exif()
    values[0x0112] = 6
    return values


KINDS = {
    "png": ("RGB", "PNG", {}),
    "png with alpha": ("RGBA", "PNG", {}),
    "png of a palette": ("P", "PNG", {"transparency": 0}),
    "png of 16 bits": ("I;16", "PNG", {}),
    "jpeg": ("RGB", "JPEG", {}),
    "progressive jpeg": ("RGB", "JPEG", {"progressive": True, "exif": exif()}),
    "cmyk jpeg": ("CMYK", "JPEG", {}),
    "webp": ("RGB", "WEBP", {}),
    "lossless webp": ("RGBA", "WEBP", {"lossless": True}),
    "gif": ("P", "GIF", {}),
    "bmp": ("RGB", "BMP", {}),
    "tiff": ("RGB", "TIFF", {}),
    "packed tiff": ("RGB", "TIFF", {"compression": "tiff_adobe_deflate"}),
    "ppm": ("RGB", "PPM", {}),
}


def flip(content, random):
    for place in random.integers(0, len(content), random.integers(1, 20)):
        content[place] ^= 1 << random.integers(8)
    return content


def damage_header(content, random):
    """Sizes and offsets stand at the beginning."""
    for place in random.integers(2, min(64, len(content)), 3):
        content[place] = random.integers(256)
    return content


def cut(content, random):
    return content[: random.integers(len(content))]


def blank(content, random):
    start = random.integers(len(content))
    end = min(len(content), start + random.integers(1, 400))
    content[start:end] = bytes(end - start)
    return content


def repeat(content, random):
    start, end = sorted(random.integers(0, len(content), 2))
    return content[:end] + content[start:]


def drop(content, random):
    start, end = sorted(random.integers(0, len(content), 2))
    return content[:start] + content[end:]


DAMAGES = [flip, damage_header, cut, blank, repeat, drop]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_malformed_pictures(kind):
    mode, file_format, options = KINDS[kind]
    whole = encode(mode, file_format, **options)
    assert pictures.load_picture(whole, 32).shape == (32, 32, 3)
    random = np.random.default_rng(1)
    refused = 0
    for index in range(PER_KIND):
        damage = DAMAGES[index % len(DAMAGES)]
        content = bytes(damage(bytearray(whole), random))
        try:
            pixels = pictures.load_picture(content, 32)
            assert pixels.shape == (32, 32, 3) and pixels.dtype == np.uint8
        except pictures.BadPictureError as error:
            refused += 1
            assert str(error) and "\n" not in str(error)
    # Some damage changes no more than colours.
    assert refused > PER_KIND // 6
