"""Answers hold every value exactly, for this row and no other."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.serving.json_response import Answer, encode_rows
from tf_unsup3d.serving.request_error import RequestError


def decode(name, tensor):
    return [json.loads(row) for row in encode_rows(name, tf.constant(tensor).numpy())]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("largest", [7, 15, 37])
def test_each_float_is_restored_exactly_and_stays_one(dtype, largest):
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, 500) * 10.0 ** rng.integers(-44, largest, 500)
    limits = np.finfo(dtype)
    whole = [0.0, -0.0, 1.0, -20.0, 16777217, 99999999]
    values = np.concatenate([values, whole, [limits.tiny, 0.1, 1 / 3]]).astype(dtype)
    (found,) = decode("x", [values])
    assert all(type(number) is float for number in found)
    np.testing.assert_array_equal(np.array(found, dtype), values)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_largest_floats_are_restored_exactly(dtype):
    limits = np.finfo(dtype)
    below = [np.nextafter(dtype(limit), dtype(0)) for limit in (1e8, 1e16)]
    large = [1e8, 123456789, 1e9, 1e16, limits.max, limits.min]
    values = np.array(large + below, dtype)
    np.testing.assert_array_equal(np.array(decode("x", [values])[0], dtype), values)


def test_numbers_have_as_few_digits_as_restore_them():
    rows = np.array([[1.0, 0.2], [-2.0, 1e-7]], np.float32)
    assert encode_rows("x", rows) == [b"[1.0,0.2]", b"[-2.0,1e-7]"]


def test_what_is_not_finite_is_written_as_tensorflow_serving_does():
    values = np.array([np.nan, np.inf, -np.inf, 1.5], np.float32)
    assert encode_rows("x", values[None]) == [b"[NaN,Infinity,-Infinity,1.5]"]
    assert encode_rows("x", values) == [b"NaN", b"Infinity", b"-Infinity", b"1.5"]


@pytest.mark.parametrize(
    "values",
    [
        np.array([[1, -2], [3, 4]], np.int32),
        np.array([2**63, 2**64 - 1], np.uint64),
        np.array([[True], [False]]),
        np.zeros([2, 0, 3], np.int64),
        np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
        np.arange(-3000, 3000, dtype=np.int32).reshape(2, 1000, 3),
        np.arange(6000, dtype=np.float32).reshape(2, 10, 100, 3) / 7,
    ],
)
def test_other_types_and_ranks_are_restored(values):
    found = decode("x", values)
    # An empty list does not tell the ranks below it.
    found = np.reshape(np.array(found, values.dtype), values.shape)
    np.testing.assert_array_equal(found, values)


def test_half_precision_is_written_as_float32():
    values = tf.constant([0.1, 2.0], tf.bfloat16).numpy()
    found = [json.loads(row) for row in encode_rows("x", values)]
    np.testing.assert_array_equal(np.float32(found), values.astype(np.float32))


def test_strings_are_text_or_base64():
    assert decode("x", [['a"\n', "ä"]]) == [['a"\n', "ä"]]
    assert decode("x_bytes", [b"a"]) == [{"b64": "YQ=="}]
    assert decode("x", [b"\xff"]) == [{"b64": "/w=="}]


def test_types_without_a_json_form_are_refused():
    with pytest.raises(RequestError, match="'x' of type complex64"):
        encode_rows("x", np.array([1j], np.complex64))


@pytest.fixture
def outputs():
    return {
        "b": tf.constant([[1, 2], [3, 4], [5, 6]]),
        "a": tf.constant([0.5, 1.5, 2.5]),
    }


def test_row_format_has_an_item_for_each_row_of_the_request(outputs):
    assert json.loads(Answer(outputs, slice(1, 3)).to_json(True)) == {
        "predictions": [{"a": 1.5, "b": [3, 4]}, {"a": 2.5, "b": [5, 6]}]
    }


def test_column_format_has_an_item_for_each_tensor(outputs):
    assert json.loads(Answer(outputs, slice(0, 1)).to_json(False)) == {
        "outputs": {"a": [0.5], "b": [[1, 2]]}
    }


def test_a_single_output_is_not_named():
    answer = Answer({"y": tf.constant([[1], [2]])}, slice(0, 2))
    assert json.loads(answer.to_json(True)) == {"predictions": [[1], [2]]}
    assert json.loads(answer.to_json(False)) == {"outputs": [[1], [2]]}


def test_outputs_without_rows_are_written_in_columns_only():
    outputs = {"total": tf.constant(3.0), "terms": tf.constant([1.0, 2.0])}
    answer = Answer(outputs)
    assert json.loads(answer.to_json(False)) == {
        "outputs": {"terms": [1.0, 2.0], "total": 3.0}
    }
    with pytest.raises(RequestError, match="'total' has no rows"):
        answer.to_json(True)
    uneven = Answer({"a": tf.zeros([2]), "b": tf.zeros([3])})
    with pytest.raises(RequestError, match="different numbers of rows"):
        uneven.to_json(True)


def test_names_are_escaped():
    answer = Answer({'"': tf.zeros([1]), "b": tf.zeros([1])}, slice(0, 1))
    assert json.loads(answer.to_json(False)) == {"outputs": {'"': [0.0], "b": [0.0]}}
