"""Reads the JSON of a predict request, in the row and in the column format.

The rules are those of TensorFlow Serving, but for one: NaN and infinity, which JSON
does not have either, are refused.
"""

import base64
import binascii
import dataclasses
import itertools
import json
import reprlib
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
import tensorflow as tf

from tf_unsup3d.serving.request_error import RequestError, bad_request
from tf_unsup3d.serving.signatures import Signature, TensorSpec, shape_text

DEFAULT_SIGNATURE = "serving_default"

_BASE64_KEY = "b64"

_JSON_TYPES = {
    dict: "Object",
    list: "Array",
    str: "String",
    int: "Number",
    float: "Number",
    bool: "Boolean",
    type(None): "Null",
}


@dataclasses.dataclass(frozen=True)
class PredictRequest:
    """A predict request whose tensors fit their signature.

    Attributes:
      signature: The signature.
      inputs: The input tensors by name.
      row_format: Whether the answer goes into "predictions", one item for each row,
        rather than into "outputs", one item for each tensor.
    """

    signature: Signature
    inputs: dict[str, np.ndarray]
    row_format: bool


def parse_predict_request(
    body: bytes, signatures: Mapping[str, Signature]
) -> PredictRequest:
    """Reads the body of a predict request.

    Args:
      body: The JSON text.
      signatures: The signatures of the model by name.

    Returns:
      The request.

    Raises:
      RequestError: The body breaks the protocol.
    """
    document = _parse_json(body)
    if not isinstance(document, dict):
        raise bad_request(f"JSON {_type_name(document)}: the body must be an object")
    signature = _find_signature(document, signatures)
    if "instances" in document and "inputs" in document:
        raise bad_request(
            "only one of 'inputs' and 'instances' may be in the request, not both"
        )
    if "instances" in document:
        values = _values_of_rows(document["instances"], signature)
    elif "inputs" in document:
        values = _values_of_columns(document["inputs"], signature)
    else:
        raise bad_request("missing 'inputs' or 'instances' key")
    inputs = {
        name: parse_tensor(values[name], spec)
        for name, spec in signature.inputs.items()
    }
    return PredictRequest(signature, inputs, row_format="instances" in document)


def parse_tensor(value: Any, spec: TensorSpec) -> np.ndarray:
    """Turns nested lists into a tensor.

    Args:
      value: What the JSON parser made of the value.
      spec: What the tensor must be.

    Returns:
      The tensor.

    Raises:
      RequestError: The lists are ragged, or the shape or a type is wrong.
    """
    shape, leaves = _flatten(value, spec)
    if not spec.accepts(shape):
        raise bad_request(
            f"input {spec.name!r} must be {spec.shape_text}, got {shape_text(shape)}"
        )
    return _convert(leaves, spec).reshape(shape)


def _parse_json(body: bytes) -> Any:
    if not body:
        raise bad_request("JSON parse error: the document is empty")
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise bad_request(
            f"JSON parse error: not UTF-8 at offset {error.start}"
        ) from None
    except json.JSONDecodeError as error:
        raise bad_request(
            f"JSON parse error: {error.msg} at offset {error.pos}"
        ) from None
    except RecursionError:
        raise bad_request("JSON parse error: nested too deeply") from None
    except ValueError:
        # Python converts no integers of thousands of digits.
        raise bad_request("JSON parse error: an integer is too long") from None


def _refuse_constant(name: str) -> NoReturn:
    raise bad_request(f"JSON parse error: {name} is not JSON")


def _find_signature(
    document: dict[str, Any], signatures: Mapping[str, Signature]
) -> Signature:
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise bad_request(f"'signature_name' must be a string, got {_quote(name)}")
    name = name or DEFAULT_SIGNATURE
    if name not in signatures:
        raise bad_request(
            f'Serving signature name: "{name}" not found in signature def; there are: '
            f"{', '.join(sorted(signatures))}"
        )
    return signatures[name]


def _values_of_rows(instances: Any, signature: Signature) -> dict[str, list]:
    if not isinstance(instances, list):
        raise bad_request(f"'instances' must be a list, got {_quote(instances)}")
    if not instances:
        raise bad_request("no values in 'instances'")
    names = signature.inputs.keys()
    if not _is_named(instances[0]):
        if len(names) > 1:
            raise bad_request(
                "'instances' is a plain list, but must be a list of objects, because "
                f"there are several inputs: {', '.join(names)}"
            )
        for index, instance in enumerate(instances):
            if _is_named(instance):
                raise bad_request(
                    f"item {index} of 'instances' is an object, but not item 0"
                )
        return {name: instances for name in names}
    for index, instance in enumerate(instances):
        if not _is_named(instance):
            raise bad_request(f"item {index} of 'instances' is no object, item 0 is")
        if instance.keys() != names:
            raise bad_request(
                f"item {index} of 'instances' has the keys {_quote(sorted(instance))}; "
                f"they must be: {', '.join(names)}"
            )
    return {name: [instance[name] for instance in instances] for name in names}


def _values_of_columns(inputs: Any, signature: Signature) -> dict[str, Any]:
    names = signature.inputs.keys()
    if not _is_named(inputs):
        if len(names) > 1:
            raise bad_request(
                "'inputs' is a plain value or list, but must be an object, because "
                f"there are several inputs: {', '.join(names)}"
            )
        return {name: inputs for name in names}
    for name in names:
        if name not in inputs:
            raise bad_request(f"missing input {name!r} in 'inputs'")
    return inputs


def _is_named(value: Any) -> bool:
    """Whether a value is an object, and not one that holds base64 text."""
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: dict[str, Any]) -> bool:
    return value.keys() == {_BASE64_KEY} and isinstance(value[_BASE64_KEY], str)


def _flatten(value: Any, spec: TensorSpec) -> tuple[tuple[int, ...], list]:
    """The shape of nested lists, and what they hold.

    Whole levels are looked at together, in a few calls for each, because a mesh has
    tens of thousands of numbers.
    """
    shape: list[int] = []
    level = [value]
    while level and isinstance(level[0], list):
        if set(map(type, level)) != {list}:
            raise bad_request(
                f"input {spec.name!r} has lists and values at level {len(shape)}"
            )
        lengths = set(map(len, level))
        if len(lengths) > 1:
            raise bad_request(
                f"input {spec.name!r} has lists of {min(lengths)} and of "
                f"{max(lengths)} items at level {len(shape)}"
            )
        shape.append(lengths.pop())
        level = list(itertools.chain.from_iterable(level))
    if list in set(map(type, level)):
        raise bad_request(
            f"input {spec.name!r} has lists and values at level {len(shape)}"
        )
    return tuple(shape), level


def _convert(leaves: list, spec: TensorSpec) -> np.ndarray:
    dtype = spec.dtype
    if dtype == tf.string:
        return np.array([_bytes(leaf, spec) for leaf in leaves], object)
    # A bool is an int to Python, but not to JSON.
    allowed = {bool} if dtype.is_bool else {int} if dtype.is_integer else {int, float}
    if not (dtype.is_bool or dtype.is_integer or dtype.is_floating):
        raise RequestError(
            501, f"input {spec.name!r} of type {dtype.name} cannot be given in JSON"
        )
    if not set(map(type, leaves)) <= allowed:
        wrong = next(leaf for leaf in leaves if type(leaf) not in allowed)
        raise bad_request(
            f"input {spec.name!r}: JSON Value: {_quote(wrong)} Type: "
            f"{_type_name(wrong)} is not of expected type: {dtype.name}"
        )
    if dtype.is_floating:
        return _floats(leaves, spec)
    if dtype.is_integer:
        for leaf in (min(leaves, default=0), max(leaves, default=0)):
            if not dtype.min <= leaf <= dtype.max:
                raise bad_request(
                    f"input {spec.name!r}: {_quote(leaf)} is not of expected type: "
                    f"{dtype.name}"
                )
    return np.array(leaves, dtype.as_numpy_dtype)


def _floats(leaves: list, spec: TensorSpec) -> np.ndarray:
    dtype = spec.dtype.as_numpy_dtype
    # Integers that the type would round are refused.
    greatest = 2**53 if spec.dtype == tf.float64 else 2**24
    if int in set(map(type, leaves)):
        for leaf in leaves:
            if type(leaf) is int and abs(leaf) > greatest:
                raise _lossy(leaf, spec)
    with np.errstate(over="ignore"):
        values = np.array(leaves, np.float64).astype(dtype)
    finite = np.isfinite(values.astype(np.float64))
    if not finite.all():
        raise _lossy(leaves[int(np.argmin(finite))], spec)
    return values


def _lossy(leaf: Any, spec: TensorSpec) -> RequestError:
    return bad_request(
        f"input {spec.name!r}: cannot convert {_quote(leaf)} to {spec.dtype.name} "
        "without loss of precision"
    )


def _bytes(leaf: Any, spec: TensorSpec) -> bytes:
    if isinstance(leaf, str):
        try:
            return leaf.encode()
        except UnicodeEncodeError:
            raise bad_request(
                f"input {spec.name!r}: a string is not valid Unicode"
            ) from None
    if isinstance(leaf, dict) and _is_base64(leaf):
        try:
            return base64.b64decode(leaf[_BASE64_KEY], validate=True)
        except (binascii.Error, ValueError):
            raise bad_request(f"input {spec.name!r}: unable to decode base64") from None
    raise bad_request(
        f"input {spec.name!r}: JSON Value: {_quote(leaf)} Type: {_type_name(leaf)} is "
        "not of expected type: string"
    )


def _type_name(value: Any) -> str:
    return _JSON_TYPES[type(value)]


def _quote(value: Any) -> str:
    """The beginning of a value as JSON, for a message."""
    if isinstance(value, int) and abs(value) >= 10**30:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, dict | list):
        return reprlib.repr(value)
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
