"""The square that FFHQ cuts out around a face, and cutting it out."""

import math

import numpy as np
import pytest
from PIL import Image

from tf_unsup3d.data.alignment import FacePoints, Square, cut_out, portrait_square

# Eyes 60 apart, the mouth 70 below them.
UPRIGHT = np.array([[70, 80], [130, 80], [100, 115], [80, 150], [120, 150]], float)


def face_points(points):
    return FacePoints(*(tuple(point) for point in points.tolist()))


def move(points, *, scale, degrees, shift):
    angle = math.radians(degrees)
    turn = np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    return scale * points @ turn.T + shift


def smooth_picture(width, height):
    y, x = np.mgrid[:height, :width] + 0.5
    planes = [
        128 + 100 * np.sin(x / 17 + y / 29),
        128 + 100 * np.cos(x / 23),
        128 + 100 * np.sin(y / 31 - x / 41),
    ]
    return np.stack(planes, axis=-1)


def as_image(pixels):
    return Image.fromarray(np.rint(pixels).astype(np.uint8))


def test_an_upright_face():
    square = portrait_square(face_points(UPRIGHT))
    # A tenth of the way from the eyes to the mouth; 2 * max(2.0 * 60, 1.8 * 70).
    assert square.centre == pytest.approx((100, 87))
    assert square.side == pytest.approx(252) and square.angle == pytest.approx(0)
    corners = [[-26, -39], [226, -39], [226, 213], [-26, 213]]
    np.testing.assert_allclose(square.corners(), corners)


def test_the_distance_of_the_eyes_can_decide():
    wide = UPRIGHT * (1.5, 1.0)
    assert portrait_square(face_points(wide)).side == pytest.approx(2 * 2.0 * 90)


@pytest.mark.parametrize("degrees", [-170, -90, -30, 0, 12.5, 100])
def test_the_square_moves_with_the_face(degrees):
    moved = move(UPRIGHT, scale=1.7, degrees=degrees, shift=(300, -40))
    square = portrait_square(face_points(moved))
    centre = move(np.array([100.0, 87.0]), scale=1.7, degrees=degrees, shift=(300, -40))
    assert square.centre == pytest.approx(tuple(centre))
    assert square.side == pytest.approx(1.7 * 252)
    assert square.angle == pytest.approx(degrees)


def test_the_axis_is_the_mean_of_eyes_and_mouth():
    turned = UPRIGHT.copy()
    turned[:2, 1] += (-10, 10)  # The eyes are tilted, the mouth is still below them.
    axis = np.array([60 + 70, 20])
    square = portrait_square(face_points(turned))
    assert square.angle == pytest.approx(math.degrees(math.atan2(axis[1], axis[0])))


def test_an_upright_square_is_a_crop():
    pixels = smooth_picture(120, 90)
    found = cut_out(as_image(pixels), Square((52, 40), 64, 0), 64)
    np.testing.assert_array_equal(found, np.asarray(as_image(pixels))[8:72, 20:84])


@pytest.mark.parametrize(
    ("side", "degrees"), [(64, 20), (40, -35), (150, 180), (300, 33), (390, 5)]
)
def test_what_is_cut_out_is_where_it_was(side, degrees):
    pixels = smooth_picture(700, 600)
    square = Square((361.3, 290.7), side, degrees)
    found = cut_out(as_image(pixels), square, 64)
    places = (np.arange(64) + 0.5) / 64
    x, y = np.moveaxis(square.points(*np.meshgrid(places, places)), -1, 0)
    expected = [
        128 + 100 * np.sin(x / 17 + y / 29),
        128 + 100 * np.cos(x / 23),
        128 + 100 * np.sin(y / 31 - x / 41),
    ]
    # Averaging over a pixel of 6 x 6 weakens the shortest wave by 2 %.
    np.testing.assert_allclose(found, np.stack(expected, axis=-1), atol=3.5)


def test_fine_patterns_are_averaged():
    board = np.indices((512, 512)).sum(axis=0) % 2 * 255
    image = Image.fromarray(board.astype(np.uint8)).convert("RGB")
    found = cut_out(image, Square((256, 256), 300, 45), 32)
    np.testing.assert_allclose(found, 127.5, atol=6)


def test_a_square_inside_is_not_faded():
    noise = np.random.default_rng(0).integers(0, 256, [80, 80, 3], np.uint8)
    inside = cut_out(Image.fromarray(noise), Square((40, 40), 80, 0), 80)
    np.testing.assert_array_equal(inside, noise)


def test_details_are_blurred_towards_the_border():
    pixels = np.random.default_rng(0).integers(0, 256, [200, 200, 3], np.uint8)
    # From x = -50 to 150; the blur begins a tenth of the side before the border.
    found = cut_out(Image.fromarray(pixels), Square((50, 100), 200, 0), 200)
    np.testing.assert_array_equal(found[:, 71:], pixels[:, 21:150])
    detail = np.abs(np.diff(found.astype(int), axis=0)).mean(axis=(0, 2))
    assert (np.diff(detail[50:70].reshape(4, 5).mean(axis=1)) > 0).all()
    assert detail[:50].max() < 0.2 * detail[70:].min()


def test_beyond_the_border_is_a_mirror_image_that_fades():
    ramp = np.broadcast_to(np.arange(200, dtype=np.uint8)[:, None, None], (200, 200, 3))
    for axis, turned in enumerate([ramp, ramp.transpose(1, 0, 2)]):
        centre = [100, 100]
        centre[1 - axis] = 50
        image = Image.fromarray(np.ascontiguousarray(turned))
        found = cut_out(image, Square(tuple(centre), 200, 0), 200)
        line = (found if axis == 0 else found.swapaxes(0, 1))[:, 100, 0].astype(float)
        # Of the values that the blur does not change; the colour of the end is reached
        # 0.3 * 200 pixels beyond the border.
        places = np.array([-40, -30, -20, 20, 60])
        mirrored = np.abs(places + 0.5) - 0.5
        weights = np.clip(-(places + 0.5) / 60, 0, 1)
        expected = mirrored + weights * (np.median(found) - mirrored)
        np.testing.assert_allclose(line[places + 50], expected, atol=1.5)


def test_a_border_that_is_not_crossed_is_left_alone():
    pixels = np.random.default_rng(0).integers(0, 256, [200, 300, 3], np.uint8)
    # It crosses the left border and touches the upper one.
    found = cut_out(Image.fromarray(pixels), Square((90, 100), 200, 0), 200)
    np.testing.assert_array_equal(found[:, 40:], pixels[:, 30:190])


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (40, 30)])
def test_a_picture_smaller_than_the_square(size):
    image = Image.new("RGB", size, (10, 200, 90))
    found = cut_out(image, Square((size[0] / 2, size[1] / 2), 400, 30), 32)
    np.testing.assert_array_equal(found, np.broadcast_to((10, 200, 90), (32, 32, 3)))
