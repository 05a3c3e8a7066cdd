import dataclasses

import numpy as np
import pytest

from tf_unsup3d.heads.landmarks import EAR_Y, EYE_X, MOUTH_Y, NOSE_TIP_Y
from tf_unsup3d.heads.model import ASYMMETRY_PREFIX
from tf_unsup3d.heads.parameters import coefficients, sample_head
from tf_unsup3d.heads.shape import procedural_head_model


@pytest.fixture(scope="module")
def model():
    return procedural_head_model(32)


def nearest(model, x, y, front=True):
    """The vertex at a place of the face coordinates, front or back."""
    points = model.coordinates
    distance = np.hypot(points[:, 0] - x, points[:, 1] - y)
    distance = np.where((points[:, 2] < 0.0) == front, distance, np.inf)
    return int(np.argmin(distance))


def test_profile_has_nose_eye_sockets_lips_and_chin(model):
    def z(x, y):
        return model.shape.mean[nearest(model, x, y), 2]

    nose = z(0.0, NOSE_TIP_Y - 0.01)
    assert nose < z(0.2, NOSE_TIP_Y) - 0.12
    assert nose < z(0.0, MOUTH_Y) - 0.05
    assert z(EYE_X - 0.08, 0.0) > z(EYE_X, -0.09) + 0.02  # under the brow
    assert z(0.0, 0.57) < z(0.0, 0.485)  # chin before the fold below the lips
    assert nose == pytest.approx(model.shape.mean[:, 2].min(), abs=0.02)


def test_ears_are_the_widest_part(model):
    widest = np.argmax(model.shape.mean[:, 0])
    assert abs(model.coordinates[widest, 1] - EAR_Y) < 0.15
    beside = nearest(model, 0.42, -0.15)
    assert model.shape.mean[widest, 0] > abs(model.shape.mean[beside, 0]) + 0.02


def test_the_mean_is_symmetric(model):
    mirrored = model.shape.mean * [-1.0, 1.0, 1.0]
    distances = np.linalg.norm(mirrored[::7, None] - model.shape.mean[None], axis=-1)
    assert distances.min(-1).max() < 1e-4


def test_symmetric_heads_are_symmetric_and_others_are_not(model):
    lopsided = [name.startswith(ASYMMETRY_PREFIX) for name in model.names]

    def asymmetry(symmetric):
        head = sample_head(model, np.random.default_rng(3))
        if symmetric:
            head = dataclasses.replace(
                head,
                shape=np.where(lopsided, np.float32(0.0), head.shape),
                hairstyle=dataclasses.replace(
                    head.hairstyle, part=0.0, raggedness=0.0, waviness=0.0
                ),
            )
        vertices = head.vertices(model)
        mirrored = vertices * np.float32([-1.0, 1.0, 1.0])
        distances = np.linalg.norm(mirrored[::7, None] - vertices[None], axis=-1)
        return distances.min(-1).max()

    assert asymmetry(True) < 1e-3
    assert asymmetry(False) > 3e-3


def test_only_asymmetric_coefficients_break_the_symmetry(model):
    x_flipped = model.coordinates * np.float32([-1.0, 1.0, 1.0])
    distances = np.linalg.norm(x_flipped[:, None] - model.coordinates[None], axis=-1)
    partner = distances.argmin(-1)
    for name, change in zip(model.names, model.shape.basis, strict=True):
        difference = np.abs(change[partner] * [-1.0, 1.0, 1.0] - change).max()
        assert (difference > 1e-3) == name.startswith(ASYMMETRY_PREFIX), name


def test_every_coefficient_changes_the_shape_moderately(model):
    largest = np.linalg.norm(model.shape.basis, axis=-1).max(-1)
    assert len(set(model.names)) == len(model.names) >= 20
    assert np.all(largest > 0.004) and np.all(largest < 0.08)


def test_heads_fill_the_unit_ball_without_folding_over(model):
    flat = model.coordinates[model.triangles]
    base = np.cross(flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0])
    radii = []
    for seed in range(30):
        head = sample_head(model, np.random.default_rng(seed))
        vertices = head.vertices(model)
        radii.append(np.sqrt(np.mean(np.sum(vertices**2, -1))))
        assert np.linalg.norm(vertices, axis=-1).max() < 1.2
        corners = vertices[model.triangles]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        assert np.mean(np.sum(base * normal, -1) < 0.0) < 0.01
    assert min(radii) > 0.58 and max(radii) < 0.78
    assert np.std(radii) > 0.005


def test_hair_adds_volume_where_it_grows_and_nowhere_else(model):
    for seed in range(20):
        style = sample_head(model, np.random.default_rng(seed)).hairstyle
        style = dataclasses.replace(style, amount=1.0)
        length = np.linalg.norm(style.volume(model.coordinates)[1], axis=-1)
        assert length[nearest(model, 0.0, -0.6)] > 0.015
        assert length[nearest(model, 0.0, NOSE_TIP_Y)] < 0.01
        bald = dataclasses.replace(style, amount=0.0)
        assert not np.any(np.abs(bald.volume(model.coordinates)[1]) > 1e-6)


def test_hair_grows_within_a_known_scalp_unless_it_hangs_over(model):
    style = sample_head(model, np.random.default_rng(2)).hairstyle
    style = dataclasses.replace(style, amount=1.0, fringe=-0.2, corner=-0.2)
    scalp = (model.coordinates[:, 1] < -0.4).astype(np.float32)
    forehead = nearest(model, 0.0, -0.3)
    for overhang, covered in ((0.0, False), (0.5, True)):
        style = dataclasses.replace(style, overhang=overhang)
        cover, _ = style.volume(model.coordinates, scalp)
        assert (cover[forehead] > 0.5) == covered


def test_coefficients_name_all_numbers_of_a_head(model):
    heads = [sample_head(model, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    first, again, other = (coefficients(head, model) for head in heads)
    assert first == again
    assert list(first) == list(other) and first != other
    assert first["shape/nose_width"] == pytest.approx(
        heads[0].shape[model.names.index("nose_width")]
    )
    assert {name.split("/")[0] for name in first} == {
        "shape",
        "hair",
        "appearance",
        "lighting",
    }
