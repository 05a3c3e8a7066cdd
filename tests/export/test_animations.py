import math

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.export.animations import (
    interpolation,
    mix,
    truncation,
)
from tf_unsup3d.export.animations import (
    turntable as turning,
)
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.export.texture_fill import fill_hidden_texture
from tf_unsup3d.rendering.scene import Scene


def turntable(*arguments, **options):
    return np.stack(list(turning(*arguments, **options)))


@pytest.fixture(scope="module")
def model(pivoting_model):
    return pivoting_model


def test_objects_turn_side_by_side(model):
    scene, yaws = model.sample(range(5)), (0.0, 90.0, 180.0, 270.0)
    frames = turntable(
        model, scene, yaws_degrees=yaws, resolution=16, pitch_degrees=10.0
    )
    assert frames.shape == (4, 2 * 16, 3 * 16, 3)
    renderer = model.renderer.replace(
        background_range=(0.0, 0.0), pivot=(0.0, 0.0, 0.0)
    )
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


@pytest.mark.parametrize("space", ["w", "z"])
def test_interpolation_passes_through_its_objects(model, space):
    options = dict(space=space, frames_between=3, resolution=16, yaw_degrees=20.0)
    frames = list(interpolation(model, [3, 5], **options))
    assert len(frames) == 6
    ends = fill_hidden_texture(model, model.sample([3, 5]))
    for number, index in ((0, 0), (3, 1)):
        end = Scene(*(value[index : index + 1] for value in ends))
        expected = turntable(model, end, yaws_degrees=[20.0], resolution=16)[0]
        np.testing.assert_allclose(frames[number].astype(int), expected, atol=1)
    # Between them is neither, nor the same on the way there and back.
    assert np.abs(frames[1].astype(int) - frames[0]).max() > 2
    if space == "z":
        half = list(interpolation(model, [3, 5], **options | dict(space="w")))[1]
        assert np.abs(frames[1].astype(int) - half).max() > 0


def test_wrong_interpolations_are_refused(model):
    with pytest.raises(ValueError, match="at least two"):
        next(interpolation(model, [3]))
    with pytest.raises(ValueError, match="space must be one of w, z"):
        next(interpolation(model, [3, 4], space="x"))


def test_truncation_starts_from_the_mean_object(model):
    frames = list(truncation(model, [0, 1], frames=4, resolution=16))
    assert len(frames) == 4
    # Some processors round differently at different places of a batch.
    left, right = np.split(frames[0].astype(int), 2, axis=1)
    np.testing.assert_allclose(left, right, atol=1)
    whole = fill_hidden_texture(model, model.sample([0, 1], 1.0))
    expected = turntable(model, whole, yaws_degrees=[0.0], resolution=16)[0]
    np.testing.assert_allclose(frames[2].astype(int), expected, atol=1)


def test_mix_has_shapes_by_rows_and_textures_by_columns(model):
    (frame,) = mix(model, [0, 1, 2], yaws_degrees=[10.0], resolution=16)
    assert frame.shape == (48, 48, 3)
    scene = fill_hidden_texture(model, model.sample([0, 1, 2]))
    expected = turntable(model, scene, yaws_degrees=[10.0], resolution=16)[0]
    # On the diagonal are the objects themselves; the fourth cell is empty there.
    for index, (row, column) in enumerate([(0, 0), (0, 1), (1, 0)]):
        cell = frame[16 * index : 16 * index + 16, 16 * index : 16 * index + 16]
        own = expected[16 * row : 16 * row + 16, 16 * column : 16 * column + 16]
        np.testing.assert_allclose(cell.astype(int), own, atol=1)
