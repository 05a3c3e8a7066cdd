import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.geometry.portrait_viewpoints import PortraitViewpoints
from tf_unsup3d.geometry.viewpoints import rotation_matrices
from tf_unsup3d.heads.framing import frame_as_portrait, landmark_weights
from tf_unsup3d.heads.parameters import sample_head
from tf_unsup3d.heads.shape import procedural_head_model


def crop_axis(left, right, mouth):
    """From the middle of FFHQ's crop to its right border, as a complex number."""
    left, right, mouth = (complex(*point) for point in (left, right, mouth))
    across, down = right - left, mouth - 0.5 * (left + right)
    axis = across - 1j * down
    return axis / abs(axis) * max(2.0 * abs(across), 1.8 * abs(down))


@pytest.mark.parametrize("protrusion", [-0.1, 0.0, 0.2])
@pytest.mark.parametrize("eye_distance", [0.7, 1.1])
def test_aligned_faces_have_level_crops_of_one_size(eye_distance, protrusion):
    views = PortraitViewpoints((25.0, 10.0, 3.0), eye_distance, protrusion)
    half = 0.5 * eye_distance
    face = [[-half, 0.0, 0.0], [half, 0.0, 0.0], [0.0, 1.0, -protrusion]]
    drawn = views.sample(50, tf.constant([1, 2]))
    drawn *= [1.0, 1.0, 0.0]
    turned, scale = views.align(drawn)
    assert np.abs(turned[:, 2]).max() > np.radians(3.0) * (protrusion != 0.0)
    seen = np.einsum("bij,pj->bpi", rotation_matrices(turned), face)[..., :2]
    seen = scale.numpy()[:, None, None] * seen
    expected = crop_axis(*np.array(face)[:, :2]).real
    for points in seen:
        axis = crop_axis(*points)
        np.testing.assert_allclose(axis.real, expected, rtol=1e-5)
        assert abs(axis.imag) < 1e-5


def test_faces_from_the_front_stay_as_they_are():
    turned, scale = PortraitViewpoints().align(tf.zeros([2, 3]))
    np.testing.assert_allclose(turned, np.zeros([2, 3]), atol=1e-7)
    np.testing.assert_allclose(scale, [1.0, 1.0], rtol=1e-6)


def test_a_mouth_no_nearer_than_the_eyes_turns_without_a_roll():
    turned, scale = PortraitViewpoints().align(tf.constant([[0.5, 0.0, 0.0]]))
    np.testing.assert_allclose(turned, [[0.5, 0.0, 0.0]], atol=1e-7)
    # The height of the eyes above the mouth, which is not foreshortened, counts.
    np.testing.assert_allclose(scale, 1.0, rtol=1e-6)


def test_roll_of_its_own_is_added():
    views = PortraitViewpoints()
    drawn = tf.constant([[0.5, 0.1, 0.0], [0.5, 0.1, 0.03]])
    turned, _ = views.align(drawn)
    np.testing.assert_allclose(turned[1, 2] - turned[0, 2], 0.03, atol=1e-6)


def test_heads_of_known_shape_are_rolled_as_much():
    model = procedural_head_model(24)
    weights = landmark_weights(model)
    heads = [
        sample_head(model, np.random.default_rng(seed), portrait=True)
        for seed in range(60)
    ]
    framed = [frame_as_portrait(head, model, weights) for head in heads]
    left, right, mouth = np.mean([weights @ head.vertices(model) for head in heads], 0)
    across, down = right - left, mouth - 0.5 * (left + right)
    views = PortraitViewpoints(
        eye_distance=across[0] / down[1], mouth_protrusion=-down[2] / down[1]
    )
    before = np.array([head.viewpoint * [1.0, 1.0, 0.0] for head in heads], np.float32)
    found, scale = views.align(tf.constant(before))
    true = np.array([head.viewpoint[2] for head in framed])
    # Faces differ, so some of the roll is left; it is small beside what is explained.
    assert np.std(true - found[:, 2]) < 0.5 * np.std(true)
    assert np.corrcoef(scale, [head.scale for head in framed])[0, 1] > 0.2


def test_limits_bound_what_is_drawn():
    views = PortraitViewpoints((20.0, 8.0, 0.5), mouth_protrusion=0.2)
    drawn, _ = views.align(views.sample(4000, tf.constant([5, 6])))
    largest = np.degrees(np.abs(drawn).max(0))
    assert np.all(largest <= views.limits)
    assert largest[2] > 0.7 * views.limits[2]


def test_scaled_keeps_the_face():
    views = PortraitViewpoints((20.0, 8.0, 0.5), 0.9, 0.1)
    expected = dataclasses.replace(views, deviations=(10.0, 8.0, 1.0))
    assert views.scaled([0.5, 1.0, 2.0]) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"eye_distance": 0.0}, "eye_distance must be positive, got 0.0"),
        ({"mouth_protrusion": 1.5}, "mouth_protrusion must be from -1 to 1, got 1.5"),
        ({"deviations": (1.0, 2.0)}, "deviations must be three angles"),
    ],
)
def test_bad_faces_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        PortraitViewpoints(**arguments)
