import numpy as np

from tf_unsup3d.export.maps import to_uint8
from tf_unsup3d.export.turntable import turntable
from tf_unsup3d.trained.trained_model import load


def test_objects_turn_once_side_by_side(small_run):
    model = load(small_run)
    scene = model.sample([0, 1, 2])
    frames = turntable(model, scene, frames=4, resolution=16)
    assert frames.shape == (4, 32, 32, 3)
    for frame, yaw in enumerate((0.0, 90.0, 180.0, 270.0)):
        views = to_uint8(model.draw(scene, yaw)["picture"])
        np.testing.assert_array_equal(frames[frame, :16, :16], views[0])
        np.testing.assert_array_equal(frames[frame, :16, 16:], views[1])
        np.testing.assert_array_equal(frames[frame, 16:, :16], views[2])
    # The empty place is white.
    assert np.all(frames[:, 16:, 16:] == 255)


def test_small_pictures_are_drawn_larger(small_run):
    model = load(small_run)
    frames = turntable(model, model.sample([0]), frames=2)
    assert frames.shape == (2, 128, 128, 3)
