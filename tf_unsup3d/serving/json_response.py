"""Writes answers to predict requests as JSON, in the row and in the column format."""

import base64
import json
from collections.abc import Iterable, Mapping

import numpy as np
import orjson
import tensorflow as tf

from tf_unsup3d.serving.request_error import RequestError, bad_request

# TensorFlow Serving's way to tell bytes from text.
_BYTES_SUFFIX = "_bytes"


class Answer:
    """The rows of a batch that belong to one request.

    Args:
      outputs: The outputs of the batch, `[rows, ...]` each, by name.
      rows: The rows of the request; by default all, of outputs that need not have rows.
    """

    def __init__(self, outputs: Mapping[str, tf.Tensor], rows: slice | None = None):
        self._outputs = outputs
        self._rows = rows

    def array(self, name: str) -> np.ndarray:
        """The rows of an output."""
        # Unlike `numpy()`, this does not copy the rows of all requests.
        array = np.asarray(self._outputs[name])
        return array if self._rows is None else array[self._rows]

    def to_json(self, row_format: bool) -> bytes:
        """Writes the body of the answer.

        Args:
          row_format: Whether to write "predictions", one item for each row, rather than
            "outputs", one item for each tensor.

        Returns:
          The JSON text.

        Raises:
          RequestError: JSON cannot hold an output, or the outputs have no rows in
            common to write.
        """
        names = sorted(self._outputs)
        arrays = {name: self.array(name) for name in names}
        if not row_format:
            columns = {name: _encode(name, arrays[name]) for name in names}
            return b'{"outputs":%b}' % _object_or_value(columns)
        _check_rows(arrays)
        rows = {name: encode_rows(name, arrays[name]) for name in names}
        items = (
            _object_or_value(dict(zip(names, texts, strict=True)))
            for texts in zip(*rows.values(), strict=True)
        )
        return b'{"predictions":%b}' % _list(items)


def encode_rows(name: str, array: np.ndarray) -> list[bytes]:
    """Writes each row of an array as JSON.

    Floating-point numbers have the fewest digits that restore them exactly. NaN,
    Infinity and -Infinity stand for what is not finite, as TensorFlow Serving writes
    it.

    Args:
      name: Name of the output. If it ends in `_bytes`, strings are written as base64.
      array: `[rows, ...]`.

    Returns:
      The JSON text of each row.

    Raises:
      RequestError: JSON cannot hold values of this type.
    """
    if array.dtype == object:
        as_bytes = name.endswith(_BYTES_SUFFIX)
        texts = [_readable(value, as_bytes) for value in array.ravel().tolist()]
        nested = np.array(texts, object).reshape(array.shape).tolist()
        return [orjson.dumps(row) for row in nested]
    if array.dtype.kind not in "biuf" and array.dtype != tf.bfloat16.as_numpy_dtype:
        raise RequestError(
            501, f"output {name!r} of type {array.dtype} has no JSON form"
        )
    if array.dtype.kind not in "biu" and array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float32)
    return [_encode_row(row) for row in array]


def _encode_row(row: np.ndarray | np.generic) -> bytes:
    if row.dtype.kind == "f" and not np.all(np.isfinite(row)):
        # orjson would write null. `str` gives the fewest digits.
        values = [float(str(value)) for value in row.ravel()]
        nested = np.array(values, object).reshape(row.shape).tolist()
        return json.dumps(nested, separators=(",", ":")).encode()
    return orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY)


def _readable(value: bytes, as_bytes: bool) -> str | dict[str, str]:
    """A string as JSON has it; as an object with base64 if it is not text."""
    if not as_bytes:
        try:
            return value.decode()
        except UnicodeDecodeError:
            pass
    return {"b64": base64.b64encode(value).decode()}


def _encode(name: str, array: np.ndarray) -> bytes:
    if array.ndim == 0:
        return encode_rows(name, array[None])[0]
    return _list(encode_rows(name, array))


def _check_rows(arrays: Mapping[str, np.ndarray]) -> None:
    for name, array in arrays.items():
        if array.ndim == 0:
            raise bad_request(f"output {name!r} has no rows; ask by 'inputs'")
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise bad_request(
            f"the outputs have different numbers of rows: {lengths}; ask by 'inputs'"
        )


def _object_or_value(texts: Mapping[str, bytes]) -> bytes:
    """A JSON object; of one member, its value alone."""
    if len(texts) == 1:
        return next(iter(texts.values()))
    members = (orjson.dumps(name) + b":" + text for name, text in texts.items())
    return b"{%b}" % b",".join(members)


def _list(texts: Iterable[bytes]) -> bytes:
    return b"[%b]" % b",".join(texts)
