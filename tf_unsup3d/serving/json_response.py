"""Writes the JSON of answers to predict requests, in the row and in the column format.

An answer of a generator holds tens of thousands of numbers, which Python's JSON encoder
writes more slowly than the model computes them. One format string for a whole row is
eight times as fast.
"""

import base64
import functools
import json
from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf

from tf_unsup3d.serving.request_error import RequestError, bad_request

# TensorFlow Serving's way to tell bytes from text.
_BYTES_SUFFIX = "_bytes"

# Shorter rows are written with as few digits as restore the values, for people.
_LONG_ROW = 1024

# By type: the format whose digits restore the value exactly and that always has a
# decimal point, and the range of values in which a digit follows the point.
_FORMATS = {np.float32: ("%#.9g", 1e8), np.float64: ("%#.17g", 1e16)}


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
        array = self._outputs[name].numpy()
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
        arrays = {name: np.asarray(self.array(name)) for name in names}
        if not row_format:
            columns = {name: _encode(name, arrays[name]) for name in names}
            return f'{{"outputs": {_object_or_value(columns)}}}'.encode()
        _check_rows(arrays)
        rows = {name: encode_rows(name, arrays[name]) for name in names}
        items = (
            _object_or_value(dict(zip(names, texts, strict=True)))
            for texts in zip(*rows.values(), strict=True)
        )
        return f'{{"predictions": {_list(items)}}}'.encode()


def encode_rows(name: str, array: np.ndarray) -> list[str]:
    """Writes each row of an array as JSON.

    Floating-point numbers have as many digits as restore them exactly. NaN, Infinity
    and -Infinity stand for what is not finite, as TensorFlow Serving writes it.

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
        array = np.array(texts, object).reshape(array.shape)
    elif array.dtype.kind not in "biuf" and array.dtype != tf.bfloat16.as_numpy_dtype:
        raise RequestError(
            501, f"output {name!r} of type {array.dtype} has no JSON form"
        )
    elif array.dtype.kind not in "biu" and array.dtype.type not in _FORMATS:
        array = array.astype(np.float32)
    # Slices, for elements of one dimension are no arrays.
    rows = (array[i : i + 1].reshape(array.shape[1:]) for i in range(len(array)))
    return [_encode_row(row) for row in rows]


def _encode_row(row: np.ndarray) -> str:
    if row.dtype.type in _FORMATS:
        number, limit = _FORMATS[row.dtype.type]
        # This is false of NaN, too.
        if row.size > _LONG_ROW and np.all(np.abs(row) < limit):
            return _template(number, row.shape) % tuple(row.ravel().tolist())
        # `str` gives the fewest digits.
        values = [float(str(value)) for value in row.ravel()]
        row = np.array(values, object).reshape(row.shape)
    elif row.dtype.kind in "iu" and row.size > _LONG_ROW:
        return _template("%d", row.shape) % tuple(row.ravel().tolist())
    return json.dumps(row.tolist(), separators=(",", ":"))


@functools.lru_cache(maxsize=16)
def _template(number: str, shape: tuple[int, ...]) -> str:
    """A format string for the nested lists of a shape."""
    text = number
    for size in reversed(shape):
        text = f"[{','.join([text] * size)}]"
    return text


def _readable(value: bytes, as_bytes: bool) -> str | dict[str, str]:
    """A string as JSON has it; as an object with base64 if it is not text."""
    if not as_bytes:
        try:
            return value.decode()
        except UnicodeDecodeError:
            pass
    return {"b64": base64.b64encode(value).decode()}


def _encode(name: str, array: np.ndarray) -> str:
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


def _object_or_value(texts: Mapping[str, str]) -> str:
    """A JSON object; of one member, its value alone."""
    if len(texts) == 1:
        return next(iter(texts.values()))
    members = (f"{json.dumps(name)}:{text}" for name, text in texts.items())
    return f"{{{','.join(members)}}}"


def _list(texts: Iterable[str]) -> str:
    return f"[{','.join(texts)}]"
