import math

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.export.turntable import turntable
from tf_unsup3d.trained.trained_model import load


def test_objects_turn_side_by_side(small_run):
    model = load(small_run)
    scene, yaws = model.sample(range(5)), (0.0, 90.0, 180.0, 270.0)
    frames = turntable(
        model, scene, yaws_degrees=yaws, resolution=16, pitch_degrees=10.0
    )
    assert frames.shape == (4, 16, 80, 3)
    renderer = model.renderer.replace(background_range=(0.0, 0.0))
    for frame, yaw in zip(frames, yaws, strict=True):
        viewpoint = [math.radians(yaw), math.radians(10.0), 0.0]
        drawn = renderer(scene, tf.constant([viewpoint] * 5))
        views = to_uint8(drawn["picture"].numpy())
        np.testing.assert_array_equal(frame, np.concatenate(views, 1))


@pytest.mark.parametrize(
    ("objects", "rows", "columns"), [(1, 1, 1), (2, 1, 2), (7, 3, 3), (8, 2, 4)]
)
def test_the_grid_is_full_where_it_can_be(small_run, objects, rows, columns):
    model = load(small_run)
    scene = model.sample(range(objects))
    frames = turntable(model, scene, yaws_degrees=[0.0], resolution=16)
    assert frames.shape == (1, 16 * rows, 16 * columns, 3)
    if objects == 7:
        assert np.all(frames[0, 32:, 16:] == 255)


def test_backdrops_stand_still(small_run):
    model = load(small_run)
    scene = model.sample([0])
    frames = turntable(model, scene, resolution=16)
    np.testing.assert_array_equal(frames[:, 0, 0], frames[[0] * 48, 0, 0])
    # In the other pictures of the model they move.
    sides = [model.draw(scene, yaw)["picture"][0, 0, 0] for yaw in (-30.0, 30.0)]
    assert np.abs(sides[0] - sides[1]).max() > 0.01


def test_small_pictures_are_drawn_larger(small_run):
    model = load(small_run)
    frames = turntable(model, model.sample([0]))
    assert frames.shape == (48, 128, 128, 3)
