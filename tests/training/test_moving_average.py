import pytest
import tensorflow as tf

from tf_unsup3d.training.moving_average import decay


def test_half_of_the_average_is_new_after_a_half_life():
    kept = 1.0
    for seen in range(100_000, 105_000, 20):
        kept *= float(decay(tf.constant(seen, tf.int64), 20, 5_000.0))
    assert kept == pytest.approx(0.5, rel=1e-4)


def test_average_forgets_its_beginning():
    early = [float(decay(tf.constant(16 * n), 16, 5_000)) for n in (1, 10, 1000)]
    # Eight half-lives in the first step; then longer and longer ones.
    assert early == pytest.approx([0.5**8, 0.5**0.8, 0.5**0.008])
