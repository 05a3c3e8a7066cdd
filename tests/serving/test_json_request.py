"""The row and the column format, and everything that is none of them."""

import base64
import json

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.serving.json_request import parse_predict_request, parse_tensor
from tf_unsup3d.serving.request_error import RequestError
from tf_unsup3d.serving.signatures import Signature, TensorSpec


def signature(name="serving_default", **inputs):
    specs = {key: TensorSpec(key, *spec) for key, spec in inputs.items()}
    return Signature(name, specs, {})


ONE = signature(x=(tf.float32, (None, 2)))
TWO = signature("two", a=(tf.int64, (None,)), b=(tf.float32, (None, 2)))
SIGNATURES = {each.name: each for each in (ONE, TWO)}


def parse(document):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return parse_predict_request(body, SIGNATURES)


def error(document):
    with pytest.raises(RequestError) as caught:
        parse(document)
    assert caught.value.status == 400
    return caught.value.message


@pytest.mark.parametrize(
    "document",
    [
        {"instances": [[1, 2.5], [3, 4]]},
        {"instances": [{"x": [1, 2.5]}, {"x": [3, 4]}]},
        {"inputs": [[1, 2.5], [3, 4]]},
        {"inputs": {"x": [[1, 2.5], [3, 4]]}},
        {"inputs": {"x": [[1, 2.5], [3, 4]], "ignored": 1}, "also": "ignored"},
        {"signature_name": "serving_default", "inputs": [[1, 2.5], [3, 4]]},
    ],
)
def test_one_input_can_be_given_in_each_way(document):
    request = parse(document)
    assert request.signature is ONE
    assert request.row_format == ("instances" in document)
    assert request.inputs["x"].dtype == np.float32
    np.testing.assert_array_equal(request.inputs["x"], [[1, 2.5], [3, 4]])


@pytest.mark.parametrize(
    "document",
    [
        {"instances": [{"a": 7, "b": [1, 2]}, {"b": [3, 4], "a": 8}]},
        {"inputs": {"a": [7, 8], "b": [[1, 2], [3, 4]]}},
    ],
)
def test_several_inputs_are_named(document):
    inputs = parse({"signature_name": "two", **document}).inputs
    assert inputs["a"].dtype == np.int64
    np.testing.assert_array_equal(inputs["a"], [7, 8])
    np.testing.assert_array_equal(inputs["b"], [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"", "empty"),
        (b"{", "offset 1"),
        (b'{"inputs": [[1, 2]]', "offset"),
        (b'{"inputs": [[1, NaN]]}', "NaN is not JSON"),
        (b'{"inputs": [[1, -Infinity]]}', "-Infinity is not JSON"),
        (b'{"inputs": [[1, 1e999]]}', "without loss"),
        (b'{"inputs": [[1, 1e39]]}', "1e+39 to float32 without loss"),
        (b'{"inputs": [[1, 16777217]]}', "16777217 to float32 without loss"),
        (b'{"inputs": [[1, ' + b"9" * 5000 + b"]]}", "integer is too long"),
        (b'{"inputs": [[1, ' + b"9" * 500 + b"]]}", "integer of"),
        (b"[" * 100_000, "nested too deeply"),
        (b'\xff{"inputs": 1}', "not UTF-8 at offset 0"),
        ([[1, 2]], "JSON Array: the body must be an object"),
        ({}, "missing 'inputs' or 'instances'"),
        ({"instances": [[1, 2]], "inputs": [[1, 2]]}, "not both"),
        (
            {"signature_name": 3, "inputs": 1},
            "'signature_name' must be a string, got 3",
        ),
        ({"signature_name": "three", "inputs": 1}, '"three" not found'),
        ({"instances": {"x": [1, 2]}}, "'instances' must be a list"),
        ({"instances": []}, "no values"),
        ({"instances": [[1, 2], {"x": [1, 2]}]}, "item 1 of 'instances' is an object"),
        ({"instances": [{"x": [1, 2]}, [1, 2]]}, "item 1 of 'instances' is no object"),
        ({"instances": [{"x": [1, 2]}, {"y": [1, 2]}]}, "keys must|they must be: x"),
        ({"instances": [{"x": [1, 2], "y": 1}]}, "they must be: x"),
        ({"inputs": {"y": [[1, 2]]}}, "missing input 'x'"),
        ({"inputs": [[1, 2, 3]]}, "'x' must be [?,2], got [1,3]"),
        ({"inputs": [1, 2]}, "must be [?,2], got [2]"),
        ({"inputs": 1}, "must be [?,2], got []"),
        ({"inputs": []}, "must be [?,2], got [0]"),
        ({"inputs": [[1, 2], [1]]}, "lists of 1 and of 2 items at level 1"),
        ({"inputs": [[1, 2], 1]}, "lists and values at level 1"),
        ({"inputs": [[1, [2]]]}, "lists and values at level 2"),
        ({"inputs": [["1", 2]]}, '"1" Type: String is not of expected type: float32'),
        ({"inputs": [[True, 2]]}, "true Type: Boolean"),
        ({"inputs": [[None, 2]]}, "null Type: Null"),
        ({"inputs": [[{"b64": "AA=="}, 2]]}, "Type: Object"),
        (
            {"signature_name": "two", "instances": [[1, 2]]},
            "there are several inputs: a, b",
        ),
        (
            {"signature_name": "two", "inputs": [[1, 2]]},
            "there are several inputs: a, b",
        ),
        (
            {"signature_name": "two", "inputs": {"a": [1.0], "b": [[1, 2]]}},
            "type: int64",
        ),
        (
            {"signature_name": "two", "inputs": {"a": [2**63], "b": [[1, 2]]}},
            "type: int64",
        ),
    ],
)
def test_what_breaks_the_protocol_is_refused_in_one_line(document, message):
    found = error(document)
    assert any(part in found for part in message.split("|")), found
    assert "\n" not in found and len(found) <= 500


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        (tf.int32, [-(2**31), 2**31 - 1]),
        (tf.uint8, [0, 255]),
        (tf.uint64, [0, 2**64 - 1]),
        (tf.bool, [True, False]),
        (tf.float64, [0.1, 2**53]),
        (tf.float16, [0.5, -2]),
        (tf.bfloat16, [0.5, 3]),
    ],
)
def test_values_of_each_type_are_kept(dtype, values):
    tensor = parse_tensor(values, TensorSpec("x", dtype, (None,)))
    assert tensor.dtype == dtype.as_numpy_dtype
    assert tensor.tolist() == values


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (tf.uint8, 256),
        (tf.uint8, -1),
        (tf.int32, 2**31),
        (tf.uint64, 2**64),
        (tf.bool, 1),
        (tf.int32, True),
        (tf.int32, 1.0),
        (tf.float16, 1e6),
        (tf.float64, 2**53 + 1),
        (tf.string, 1),
        (tf.string, {"b64": "no base64"}),
        (tf.string, {"b64": 1}),
        (tf.string, "\ud800"),
    ],
)
def test_values_that_do_not_fit_their_type_are_refused(dtype, value):
    with pytest.raises(RequestError) as caught:
        parse_tensor([value], TensorSpec("x", dtype, (None,)))
    assert caught.value.status == 400


def test_types_that_json_cannot_hold_are_not_implemented():
    with pytest.raises(RequestError, match="complex64") as caught:
        parse_tensor([1], TensorSpec("x", tf.complex64, (None,)))
    assert caught.value.status == 501


def test_strings_are_text_or_base64():
    spec = TensorSpec("x", tf.string, (None,))
    content = bytes(range(256))
    encoded = {"b64": base64.b64encode(content).decode()}
    assert parse_tensor(["ä", encoded], spec).tolist() == ["ä".encode(), content]


def test_a_base64_object_is_a_value():
    signatures = {"serving_default": signature(x=(tf.string, None))}
    for document in ({"inputs": {"b64": "YQ=="}}, {"instances": [{"b64": "YQ=="}]}):
        request = parse_predict_request(json.dumps(document).encode(), signatures)
        assert request.inputs["x"].ravel().tolist() == [b"a"]
