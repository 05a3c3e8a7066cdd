import numpy as np
import PIL.Image
import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.export import pictures


def test_to_uint8_covers_the_range_and_clips():
    picture = np.float32([-2.0, -1.0, 0.0, 1.0, 3.0])
    np.testing.assert_array_equal(pictures.to_uint8(picture), [0, 0, 128, 255, 255])
    assert pictures.to_uint8(picture).dtype == np.uint8


def test_to_uint8_gives_back_every_byte():
    values = np.arange(256)
    np.testing.assert_array_equal(pictures.to_uint8(values / 127.5 - 1.0), values)


@pytest.mark.parametrize(
    ("normal", "colour"),
    [
        ([0, 0, -1], [128, 128, 255]),  # towards the camera
        ([1, 0, 0], [255, 128, 128]),  # right
        ([0, -1, 0], [128, 255, 128]),  # up
        ([0, 1, 0], [128, 0, 128]),  # down
        ([0, 0, -0.3], [128, 128, 255]),  # the length does not matter
    ],
)
def test_normal_colours(normal, colour):
    picture = pictures.normals_to_rgb(np.float32([[normal]]), np.ones([1, 1, 1]))
    np.testing.assert_array_equal(picture, [[colour]])


def test_normals_fade_to_the_background_with_the_mask():
    normals = np.float32([[[0, 0, -1], [0, 0, -0.5], [0, 0, 0]]])
    mask = np.float32([[[1], [0.5], [0]]])
    np.testing.assert_array_equal(
        pictures.normals_to_rgb(normals, mask),
        [[[128, 128, 255], [191, 191, 255], [255, 255, 255]]],
    )


def test_near_is_bright_and_far_dark():
    depth = np.float32([9, 10, 11, 12, 13, 10]).reshape(1, 6, 1)
    mask = np.float32([1, 1, 1, 1, 1, 0]).reshape(1, 6, 1)
    picture = pictures.depth_to_grey(depth, mask, near=10.0, far=12.0)
    assert picture.shape == (1, 6, 3)
    np.testing.assert_array_equal(picture[0, :, 0], [255, 255, 128, 0, 0, 0])


def test_depth_range_must_not_be_empty():
    with pytest.raises(ValueError, match=r"near \(2.0\) must be less than far \(2.0\)"):
        pictures.depth_to_grey(np.ones([1, 1, 1]), np.ones([1, 1, 1]), 2.0, 2.0)


def test_png_is_read_back(tmp_path):
    picture = np.random.default_rng(2).integers(0, 256, [20, 30, 3], np.uint8)
    path = tmp_path / "new" / "head.png"
    pictures.write_png(path, picture)
    np.testing.assert_array_equal(np.asarray(PIL.Image.open(path)), picture)
    assert [file.name for file in path.parent.iterdir()] == ["head.png"]


def test_unwritable_png_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot write .*file/head\.png: "):
        pictures.write_png(
            tmp_path / "file" / "head.png", np.zeros([8, 8, 3], np.uint8)
        )
