import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.models.augmentation import DifferentiableAugmentation

OFF = dict(brightness=0.0, saturation=0.0, contrast=0.0, translation=0.0, cutout=0.0)


@pytest.fixture
def pictures():
    return tf.random.stateless_uniform([40, 16, 16, 3], [1, 2], -1.0, 1.0)


def apply(pictures, seed=(3, 4), **strengths):
    augmentation = DifferentiableAugmentation(**{**OFF, **strengths})
    parameters = augmentation.sample_parameters(len(pictures), seed)
    return augmentation.apply(pictures, parameters).numpy()


def test_without_strength_nothing_changes(pictures):
    np.testing.assert_array_equal(apply(pictures), pictures)


def test_changes_are_a_function_of_the_seed(pictures):
    defaults = {**DifferentiableAugmentation().__dict__}
    first = apply(pictures, **defaults)
    np.testing.assert_array_equal(apply(pictures, **defaults), first)
    assert np.all(np.any(apply(pictures, (3, 5), **defaults) != first, (1, 2, 3)))


def test_colours_change_as_documented(pictures):
    pictures = pictures.numpy()
    added = apply(pictures, brightness=0.5) - pictures
    spread = added.reshape([40, -1])
    np.testing.assert_allclose(spread.max(1), spread.min(1), atol=1e-5)
    assert -0.5 <= spread.min() < -0.3 and 0.3 < spread.max() <= 0.5

    def factors(changed, mean):
        """How much the distances of pictures from a mean have grown."""
        return np.std(changed - mean, (1, 2, 3)) / np.std(pictures - mean, (1, 2, 3))

    grey = pictures.mean(-1, keepdims=True)
    found = factors(apply(pictures, saturation=1.0), grey)
    assert 0.0 <= found.min() < 0.4 and 1.6 < found.max() < 2.0
    mean = pictures.mean((1, 2, 3), keepdims=True)
    changed = apply(pictures, contrast=0.5)
    found = factors(changed, mean)
    assert 0.5 <= found.min() < 0.7 and 1.3 < found.max() <= 1.5
    np.testing.assert_allclose(changed.mean((1, 2, 3)), mean[:, 0, 0, 0], atol=1e-5)


def test_pictures_are_shifted_by_whole_pixels(pictures):
    pictures, shifts = pictures.numpy(), set()
    for before, after in zip(pictures, apply(pictures, translation=0.125), strict=True):
        padded = np.pad(before, [[2, 2], [2, 2], [0, 0]])
        shifts |= {
            (down, right)
            for down in range(5)
            for right in range(5)
            if np.array_equal(after, padded[down : down + 16, right : right + 16])
        }
    assert len(shifts) > 10
    assert (
        {down for down, _ in shifts} == {right for _, right in shifts} == set(range(5))
    )


def test_a_square_is_cut_out(pictures):
    changed = apply(pictures, cutout=0.5)
    holes = np.all(changed == 0.0, -1)
    np.testing.assert_array_equal(changed[~holes], pictures.numpy()[~holes])
    for hole in holes:
        rows, columns = np.nonzero(hole.any(1))[0], np.nonzero(hole.any(0))[0]
        # Up to half of it may lie outside.
        assert 4 <= len(rows) <= 8 and 4 <= len(columns) <= 8
        assert hole.sum() == len(rows) * len(columns)
        assert hole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    assert (holes.sum((1, 2)) == 64).any()


def test_gradients_pass_through_twice(pictures):
    pictures = pictures[:4]
    augmentation = DifferentiableAugmentation()
    parameters = augmentation.sample_parameters(4, [3, 4])
    with tf.GradientTape() as outer:
        outer.watch(pictures)
        with tf.GradientTape() as inner:
            inner.watch(pictures)
            total = tf.reduce_sum(augmentation.apply(pictures, parameters) ** 2)
        gradient = inner.gradient(total, pictures)
        penalty = tf.reduce_sum(gradient**2)
    assert np.any(gradient != 0.0)
    assert np.any(outer.gradient(penalty, pictures) != 0.0)


@pytest.mark.parametrize("name", list(OFF))
def test_strengths_out_of_range_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be from 0 to 1"):
        DifferentiableAugmentation(**{name: 1.5})
