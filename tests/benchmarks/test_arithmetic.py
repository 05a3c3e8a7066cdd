"""Counting arithmetic in graphs."""

import pytest
import tensorflow as tf

from benchmarks import arithmetic
from benchmarks.arithmetic import count_operations, matrix_product_speed

_PICTURE = 8 * 8


@pytest.mark.parametrize("uses_kernel_gradient", [False, True])
def test_only_what_is_computed_counts(uses_kernel_gradient):
    pictures, kernel = tf.ones([2, 8, 8, 3]), tf.Variable(tf.ones([1, 1, 3, 5]))

    @tf.function(autograph=False)
    def run():
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            total = tf.reduce_sum(tf.nn.conv2d(pictures, kernel, 1, "SAME"))
        found = tape.gradient(total, [pictures, kernel])
        return found if uses_kernel_gradient else found[:1]

    # The convolution itself is not needed for either gradient.
    one = 2 * 2 * _PICTURE * 3 * 5
    assert count_operations(run) == (2 * one if uses_kernel_gradient else one)


def test_updates_of_variables_count():
    variable = tf.Variable(tf.zeros([4, 4]))

    @tf.function(autograph=False)
    def run():
        variable.assign_add(tf.matmul(tf.ones([4, 6]), tf.ones([6, 4])))

    assert count_operations(run) == 2 * 4 * 6 * 4


def test_matrix_products_take_time(monkeypatch):
    monkeypatch.setattr(arithmetic, "_MATRIX_SIZE", 256)
    assert 0.0 < matrix_product_speed(tf.float32) < 1e15
