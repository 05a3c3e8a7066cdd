"""The page of objects; tests/e2e opens it in a browser."""

import base64
import io
import re

import numpy as np
from PIL import Image

from tf_unsup3d.export.gallery import write_gallery
from tf_unsup3d.export.pictures import to_uint8


def test_pictures_show_the_middle_of_the_objects(pivoting_model, tmp_path):
    scene = pivoting_model.sample([0, 1])
    path = tmp_path / "gallery.html"
    write_gallery(path, pivoting_model, scene, ["first", "second"], "Two")
    found = re.findall(r'src="data:image/png;base64,([^"]*)"', path.read_text())
    drawn = pivoting_model.draw(scene, resolution=256, pivot=(0.0, 0.0, 0.0))
    for content, expected in zip(found, to_uint8(drawn["picture"]), strict=True):
        with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
            np.testing.assert_allclose(
                np.asarray(picture).astype(int), expected, atol=1
            )
