import numpy as np
import pytest

from tf_unsup3d.export.pictures import depth_to_grey, normals_to_rgb, to_uint8
from tf_unsup3d.export.scene_sheets import depth_sheet, scene_sheet
from tf_unsup3d.export.sheets import FONT_SIZE, GUTTER, SMALLEST_PICTURE

YAWS = (-90.0, -45.0, 0.0, 45.0, 90.0)
MIDDLE = (0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def model(pivoting_model):
    return pivoting_model


@pytest.fixture(scope="module")
def scene(model):
    return model.sample([0, 1])


def cell(sheet, row, column):
    """A picture of 16 x 16 pixels, as it was before it was enlarged."""
    step = SMALLEST_PICTURE + GUTTER
    top, left = 2 * FONT_SIZE + row * step, GUTTER + column * step
    enlarged = sheet[top : top + SMALLEST_PICTURE, left : left + SMALLEST_PICTURE]
    assert enlarged.shape == (SMALLEST_PICTURE, SMALLEST_PICTURE, 3)
    return enlarged[::6, ::6]


def test_scene_sheet_shows_each_object_in_a_row(model, scene):
    sheet = scene_sheet(model, scene, 20.0, 5.0)
    drawn = model.draw(scene, 20.0, 5.0, outputs=("picture", "normals", "mask"))
    expected = [
        to_uint8(drawn["picture"]),
        normals_to_rgb(drawn["normals"], drawn["mask"]),
        to_uint8(scene.texture.numpy()),
        to_uint8(scene.background.numpy()),
        *(
            to_uint8(model.draw(scene, yaw, 5.0, pivot=MIDDLE)["picture"])
            for yaw in YAWS
        ),
    ]
    for column, pictures in enumerate(expected):
        for row, picture in enumerate(pictures):
            np.testing.assert_array_equal(cell(sheet, row, column), picture)


def test_depth_sheet_shows_each_object_in_a_row(model, scene):
    sheet = depth_sheet(model, scene, 5.0)
    middle = model.camera.distance
    for index, yaw in enumerate(YAWS):
        names = ("depth", "normals", "mask")
        drawn = model.draw(scene, yaw, 5.0, pivot=MIDDLE, outputs=names)
        depth, normals, mask = (drawn[n] for n in ("depth", "normals", "mask"))
        depth = depth_to_grey(depth, mask, middle - 1.0, middle + 1.0)
        normals = normals_to_rgb(normals, mask)
        for row in range(2):
            np.testing.assert_array_equal(cell(sheet, row, 2 * index), depth[row])
            np.testing.assert_array_equal(cell(sheet, row, 2 * index + 1), normals[row])
