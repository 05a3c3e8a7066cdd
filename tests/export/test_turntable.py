import numpy as np
import pytest

from tf_unsup3d.export.maps import to_uint8
from tf_unsup3d.export.turntable import turntable
from tf_unsup3d.trained.trained_model import load


def test_objects_turn_once_side_by_side(small_run):
    model = load(small_run)
    scene, yaws = model.sample(range(5)), (0.0, 90.0, 180.0, 270.0)
    frames = turntable(model, scene, yaws_degrees=yaws, resolution=16)
    assert frames.shape == (4, 16, 80, 3)
    for frame, yaw in zip(frames, yaws, strict=True):
        views = to_uint8(model.draw(scene, yaw)["picture"])
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


def test_small_pictures_are_drawn_larger(small_run):
    model = load(small_run)
    frames = turntable(model, model.sample([0]))
    assert frames.shape == (48, 128, 128, 3)
