import math

import numpy as np
import tensorflow as tf

from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.export.turntable import turntable
from tf_unsup3d.trained.trained_model import load


def test_objects_turn_once_side_by_side(small_run):
    model = load(small_run)
    scene = model.sample([0, 1, 2])
    frames = turntable(model, scene, frames=4, resolution=16, pitch_degrees=10.0)
    assert frames.shape == (4, 32, 32, 3)
    renderer = model.renderer.replace(background_range=(0.0, 0.0))
    for frame, yaw in enumerate((0.0, 90.0, 180.0, 270.0)):
        viewpoint = [math.radians(yaw), math.radians(10.0), 0.0]
        drawn = renderer(scene, tf.constant([viewpoint] * 3))
        views = to_uint8(drawn["picture"].numpy())
        np.testing.assert_array_equal(frames[frame, :16, :16], views[0])
        np.testing.assert_array_equal(frames[frame, :16, 16:], views[1])
        np.testing.assert_array_equal(frames[frame, 16:, :16], views[2])
    # The empty place is white.
    assert np.all(frames[:, 16:, 16:] == 255)


def test_backdrops_stand_still(small_run):
    model = load(small_run)
    scene = model.sample([0])
    frames = turntable(model, scene, frames=8, resolution=16)
    np.testing.assert_array_equal(frames[:, 0, 0], frames[[0] * 8, 0, 0])
    # In the other pictures of the model they move.
    sides = [model.draw(scene, yaw)["picture"][0, 0, 0] for yaw in (-30.0, 30.0)]
    assert np.abs(sides[0] - sides[1]).max() > 0.01


def test_small_pictures_are_drawn_larger(small_run):
    model = load(small_run)
    frames = turntable(model, model.sample([0]), frames=2)
    assert frames.shape == (2, 128, 128, 3)
