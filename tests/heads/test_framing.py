import dataclasses
import math

import numpy as np
import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.heads import storage
from tf_unsup3d.heads.framing import frame_as_portrait, landmark_weights
from tf_unsup3d.heads.landmarks import EYE_X, EYE_Y, MOUTH_Y
from tf_unsup3d.heads.lighting import Lighting
from tf_unsup3d.heads.parameters import sample_head
from tf_unsup3d.heads.settings import HeadSetSettings
from tf_unsup3d.heads.shape import procedural_head_model
from tf_unsup3d.rendering.camera import PinholeCamera

SIZE = 100


@pytest.fixture(scope="module")
def model():
    return procedural_head_model(24)


@pytest.fixture(scope="module")
def landmarks(model):
    return landmark_weights(model)


def rotation(viewpoint):
    yaw, pitch, roll = map(float, viewpoint)
    c, s = math.cos(yaw), math.sin(yaw)
    about_y = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    c, s = math.cos(pitch), math.sin(pitch)
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
    c, s = math.cos(roll), math.sin(roll)
    about_z = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return about_z @ about_x @ about_y


def placed(head, model):
    """The vertices in world space."""
    turned = head.vertices(model).astype(np.float64) @ rotation(head.viewpoint).T
    return head.scale * turned + head.offset


def pixels(points):
    camera = PinholeCamera()
    x, y, z = (points + [0.0, 0.0, camera.distance]).T
    focal = 0.5 * SIZE / math.tan(0.5 * camera.field_of_view)
    return np.stack([focal * x / z, focal * y / z], -1) + 0.5 * SIZE


def aligned_square(left, right, mouth):
    """Corners of the square that FFHQ's alignment crops, from the top left down."""
    # In complex numbers, where a quarter turn is a factor.
    left, right, mouth = (complex(*point) for point in (left, right, mouth))
    eyes = (left + right) / 2
    across, down = right - left, mouth - eyes
    axis = across - down * 1j
    axis *= max(2.0 * abs(across), 1.8 * abs(down)) / abs(axis)
    centre, below = eyes + 0.1 * down, axis * 1j
    corners = [centre - axis - below, centre - axis + below]
    corners += [centre + axis + below, centre + axis - below]
    return np.array([[corner.real, corner.imag] for corner in corners])


def test_landmarks_are_the_eyes_and_the_mouth(model, landmarks):
    assert landmarks.sum(-1) == pytest.approx(1.0)
    x, y, z = (landmarks @ model.coordinates).T
    assert x == pytest.approx([-EYE_X, EYE_X, 0.0], abs=0.03)
    assert y == pytest.approx([EYE_Y, EYE_Y, MOUTH_Y], abs=0.03)
    # On the face, not on the back of the head or within.
    assert np.all(z < -0.4)


@pytest.mark.parametrize("seed", range(6))
def test_alignment_crops_just_the_picture(model, landmarks, seed):
    head = sample_head(model, np.random.default_rng(seed), portrait=True)
    # Roll is what the alignment removes, so much of it must not matter.
    viewpoint = head.viewpoint + np.float32([0.0, 0.0, 0.5])
    head = dataclasses.replace(head, viewpoint=viewpoint)
    framed = frame_as_portrait(head, model, landmarks)
    square = aligned_square(*pixels(landmarks @ placed(framed, model)))
    picture = [[0, 0], [0, SIZE], [SIZE, SIZE], [SIZE, 0]]
    assert square == pytest.approx(np.array(picture), abs=1e-3)
    assert framed.viewpoint[:2] == pytest.approx(head.viewpoint[:2])
    assert abs(framed.viewpoint[2]) < 0.3


def test_heads_turn_about_a_point_of_the_face(model, landmarks):
    head = sample_head(model, np.random.default_rng(1), portrait=True)
    depths, middles = [], []
    for yaw in (-0.6, 0.0, 0.6):
        viewpoint = np.array([yaw, 0.0, 0.0], np.float32)
        turned = dataclasses.replace(head, viewpoint=viewpoint)
        framed = frame_as_portrait(turned, model, landmarks)
        vertices = placed(framed, model)
        left, right, mouth = landmarks @ vertices
        eyes = 0.5 * (left + right)
        depths.append((eyes + 0.1 * (mouth - eyes))[2])
        middles.append(0.5 * (vertices.min(0) + vertices.max(0)))
    assert depths == pytest.approx([0.0, 0.0, 0.0], abs=1e-4)
    # The middle of the head swings around that point, far behind it.
    assert middles[1][2] > 0.4
    assert middles[0][0] < -0.2 < 0.2 < middles[2][0]


def test_angles_of_portraits_are_normally_distributed(model):
    rng = np.random.default_rng(0)
    heads = [sample_head(model, rng, portrait=True) for _ in range(800)]
    angles = np.degrees([head.viewpoint for head in heads])
    assert angles.std(0) == pytest.approx([19.7, 7.3, 2.0], rel=0.08)
    assert np.abs(angles).max(0)[:2] == pytest.approx([55.0, 14.9], abs=5.0)
    # Uniform angles of that deviation would end far earlier.
    assert np.mean(np.abs(angles[:, 0]) > 36.0) > 0.03


@pytest.mark.parametrize("angle", [0, 1])
def test_a_range_of_0_is_no_variation_of_portraits(model, angle):
    ranges = [60.0, 15.0]
    ranges[angle] = 0.0

    def viewpoint(yaw_range, pitch_range):
        head = sample_head(
            model,
            np.random.default_rng(0),
            yaw_range=yaw_range,
            pitch_range=pitch_range,
            portrait=True,
        )
        return head.viewpoint

    expected = viewpoint(60.0, 15.0)
    assert expected[angle] != 0.0
    expected[angle] = 0.0
    np.testing.assert_array_equal(viewpoint(*ranges), expected)


def test_light_of_portraits_comes_from_one_side_from_two_and_from_everywhere():
    rng = np.random.default_rng(0)
    lights = [Lighting.sample_portrait(rng) for _ in range(300)]
    two = [light for light in lights if light.second_lamp.any()]
    assert 70 < len(two) < 130
    for light in two:
        assert light.direction[0] * light.second_direction[0] < 0.0
        assert np.all(light.second_lamp <= light.lamp)
    flat = [light for light in lights if light.lamp.sum() < 0.5 * light.ambient.sum()]
    assert 60 < len(flat) < 140
    front = np.array([[0.0, 0.0, -1.0]])
    levels = np.array([light.shade(front).mean() for light in lights])
    assert np.all((levels > 0.2) & (levels < 1.6))


def test_set_of_portraits(tmp_path):
    settings = HeadSetSettings(
        count=1, validation_count=0, test_count=6, resolution=32, framing="portrait"
    )
    output = tmp_path / "portraits"
    assert storage.make_head_set(output, settings)
    assert not storage.make_head_set(output, settings)
    truth = storage.load_truth(output, "test")
    # The middle of each picture shows the face, whose distance is known.
    middle = truth.depth[:, 15:17, 15:17]
    assert np.all(np.abs(middle - PinholeCamera().distance) < 0.25)
    # Heads reach beyond the picture at the top or at the sides.
    assert truth.mask[:, 0].any() or truth.mask[:, :, 0].any()
    with pytest.raises(UserError, match="framing portrait instead of ball"):
        other = dataclasses.replace(settings, framing="ball")
        storage.make_head_set(output, other)


def test_unknown_framing_is_refused():
    with pytest.raises(UserError, match="framing must be one of ball, portrait"):
        HeadSetSettings(framing="passport")
