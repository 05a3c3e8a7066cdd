"""How much arithmetic a graph asks for, and how much of it the machine can do."""

import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

_MATRIX_SIZE = 2048
_PRODUCTS = 10


def count_operations(function: Callable[[], Any]) -> float:
    """Counts the additions and multiplications of a graph.

    Args:
      function: A `tf.function` without arguments.

    Returns:
      Their number in one call, of the operations that TensorFlow's profiler can count,
      which are convolutions, matrix products and most of what is computed by element.
    """
    graph = function.get_concrete_function().graph  # type: ignore[attr-defined]
    # What a gradient computes and nobody uses is never run.
    waiting = [output.op for output in graph.outputs] + graph.control_outputs
    used = set()
    while waiting:
        operation = waiting.pop()
        if operation.name not in used:
            used.add(operation.name)
            waiting += [value.op for value in operation.inputs]
            waiting += operation.control_inputs
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    options = builder(builder.float_operation()).with_empty_output().build()
    scopes = [tf.compat.v1.profiler.profile(graph, cmd="scope", options=options)]
    count = 0
    while scopes:
        scope = scopes.pop()
        count += scope.float_ops if scope.name in used else 0
        scopes += scope.children
    return float(count)


def matrix_product_speed(dtype: tf.DType) -> float:
    """Measures products of large square matrices, the fastest arithmetic there is.

    Args:
      dtype: The dtype of the matrices.

    Returns:
      Additions and multiplications per second, of the fastest product.
    """
    shape = [_MATRIX_SIZE, _MATRIX_SIZE]
    a, b = (tf.cast(tf.random.stateless_normal(shape, [0, k]), dtype) for k in (0, 1))
    fastest = float("inf")
    for _ in range(_PRODUCTS):
        start = time.perf_counter()
        tf.matmul(a, b)[0, 0].numpy()
        fastest = min(fastest, time.perf_counter() - start)
    return 2.0 * _MATRIX_SIZE**3 / fastest
