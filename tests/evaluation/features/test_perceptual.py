import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.evaluation.features.perceptual import perceptual_distance


@pytest.fixture(scope="module")
def distance():
    return perceptual_distance()


def stripes(period, phase=0.0, size=64):
    rows = np.sin(2.0 * np.pi * (np.arange(size) / period + phase))
    return tf.constant(np.tile(rows[None, :, None, None], [1, 1, size, 3]), tf.float32)


def test_equal_pictures_have_no_distance_and_order_does_not_count(distance):
    first, second = stripes(8.0), stripes(20.0)
    assert float(distance(first, first)[0]) == pytest.approx(0.0, abs=1e-6)
    assert 0.0 < float(distance(first, second)[0]) < 4.0
    np.testing.assert_allclose(distance(first, second), distance(second, first), 1e-4)


def test_structure_counts_more_than_brightness(distance):
    plain = 0.6 * stripes(8.0)
    brighter, other = plain + 0.1, 0.6 * stripes(20.0)
    assert float(distance(plain, brighter)[0]) < 0.5 * float(distance(plain, other)[0])


def test_each_pair_has_its_distance(distance):
    first = tf.concat([stripes(8.0), stripes(8.0)], 0)
    second = tf.concat([stripes(8.0, 0.02), stripes(30.0)], 0)
    together = distance(first, second).numpy()
    assert together.shape == (2,) and together[0] < together[1]
    alone = distance(first[1:], second[1:]).numpy()
    np.testing.assert_allclose(together[1:], alone, rtol=1e-3)
