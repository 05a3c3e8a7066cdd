import math

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.export.turntable import turntable
from tf_unsup3d.trained.trained_model import load


@pytest.fixture(scope="module")
def model(small_run):
    return load(small_run)


def test_objects_turn_side_by_side(model):
    scene, yaws = model.sample(range(5)), (0.0, 90.0, 180.0, 270.0)
    frames = turntable(
        model, scene, yaws_degrees=yaws, resolution=16, pitch_degrees=10.0
    )
    assert frames.shape == (4, 2 * 16, 3 * 16, 3)
    renderer = model.renderer.replace(background_range=(0.0, 0.0))
    for frame, yaw in zip(frames, yaws, strict=True):
        viewpoint = [math.radians(yaw), math.radians(10.0), 0.0]
        drawn = renderer(scene, tf.constant([viewpoint] * 5))
        views = to_uint8(drawn["picture"].numpy())
        np.testing.assert_array_equal(frame[:16], np.concatenate(views[:3], 1))
        np.testing.assert_array_equal(frame[16:, :32], np.concatenate(views[3:], 1))
        assert np.all(frame[16:, 32:] == 255)


@pytest.mark.parametrize(
    ("objects", "rows", "columns"),
    [(1, 1, 1), (2, 1, 2), (3, 2, 2), (7, 3, 3), (8, 2, 4), (10, 3, 4)],
)
def test_the_grid_is_full_unless_it_would_be_too_wide(model, objects, rows, columns):
    scene = model.sample(range(objects))
    frames = turntable(model, scene, yaws_degrees=[0.0], resolution=16)
    assert frames.shape == (1, 16 * rows, 16 * columns, 3)
    cells = frames.reshape(rows, 16, columns, 16, 3).swapaxes(1, 2)
    empty = np.all(cells == 255, axis=(2, 3, 4)).ravel()
    np.testing.assert_array_equal(empty, np.arange(rows * columns) >= objects)


def test_backdrops_stand_still(model):
    scene = model.sample([0])
    yaws = range(0, 360, 30)
    frames = turntable(model, scene, yaws_degrees=yaws, resolution=16)
    np.testing.assert_array_equal(frames[:, 0, 0], frames[[0] * len(yaws), 0, 0])
    # In the other pictures of the model they move.
    sides = [model.draw(scene, yaw)["picture"][0, 0, 0] for yaw in (-30.0, 30.0)]
    assert np.abs(sides[0] - sides[1]).max() > 0.01


def test_small_pictures_are_drawn_larger(model):
    frames = turntable(model, model.sample([0]))
    assert frames.shape == (48, 128, 128, 3)
