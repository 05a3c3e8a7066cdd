"""Writes the JSON of answers to predict requests, in the row and in the column format.

An answer of a generator holds tens of thousands of numbers, for which Python's encoder
takes longer than the model. TensorFlow's string ops write them five times as fast and
leave the interpreter free meanwhile.
"""

import base64
import json
import threading
from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf

from tf_unsup3d.serving.request_error import RequestError, bad_request

# TensorFlow Serving's way to tell bytes from text.
_BYTES_SUFFIX = "_bytes"

# So many significant digits restore the value exactly.
_SIGNIFICANT_DIGITS = {tf.float32: 9, tf.float64: 17}

# From here on `%.9g` and `%.17g` write exponents.
_LARGEST_PLAIN = 1e9


class BatchOutputs:
    """The outputs of a batch, which several requests share.

    The JSON of an output is written for the whole batch at once when it is first asked
    for, which may be done from several threads.

    Args:
      outputs: The outputs by name. Those of a batch are `[rows, ...]` each.
    """

    def __init__(self, outputs: Mapping[str, tf.Tensor]):
        self._outputs = dict(outputs)
        self._json: dict[str, list[bytes]] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """The names of the outputs, sorted."""
        return sorted(self._outputs)

    def is_scalar(self, name: str) -> bool:
        """Whether an output has no rows."""
        return self._outputs[name].shape.rank == 0

    def array(self, name: str) -> np.ndarray:
        """An output."""
        return self._outputs[name].numpy()

    def json_rows(self, name: str) -> list[bytes]:
        """The JSON of each row of an output; of a scalar, that of its value.

        Raises:
          RequestError: JSON cannot hold values of the output's type.
        """
        with self._lock:
            if name not in self._json:
                tensor = self._outputs[name]
                rows = tensor[None] if self.is_scalar(name) else tensor
                self._json[name] = encode_rows(name, rows)
            return self._json[name]


class Answer:
    """The rows of a batch that belong to one request.

    Args:
      outputs: The outputs of the batch.
      rows: The rows of the request; by default all, with outputs that have no rows.
    """

    def __init__(self, outputs: BatchOutputs, rows: slice = slice(None)):
        self._outputs = outputs
        self._rows = rows

    def array(self, name: str) -> np.ndarray:
        """The rows of an output."""
        return self._outputs.array(name)[self._rows]

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
        names = self._outputs.names()
        rows = {name: self._outputs.json_rows(name)[self._rows] for name in names}
        if row_format:
            self._check_rows(rows)
            items = (
                _object_or_value(dict(zip(names, values, strict=True)))
                for values in zip(*rows.values(), strict=True)
            )
            return b'{"predictions": ' + _list(items) + b"}"
        columns = {
            name: rows[name][0] if self._outputs.is_scalar(name) else _list(rows[name])
            for name in names
        }
        return b'{"outputs": ' + _object_or_value(columns) + b"}"

    def _check_rows(self, rows: Mapping[str, list[bytes]]) -> None:
        for name in rows:
            if self._outputs.is_scalar(name):
                raise bad_request(f"output {name!r} has no rows; ask by 'inputs'")
        lengths = {name: len(values) for name, values in rows.items()}
        if len(set(lengths.values())) > 1:
            raise bad_request(
                f"the outputs have different numbers of rows: {lengths}; "
                "ask by 'inputs'"
            )


def encode_rows(name: str, tensor: tf.Tensor) -> list[bytes]:
    """Writes each row of a tensor as JSON.

    Floating-point numbers have as many digits as restore them exactly. Where the tensor
    is not finite, NaN, Infinity and -Infinity stand in the text, as TensorFlow Serving
    writes them.

    Args:
      name: Name of the output. If it ends in `_bytes`, strings are written as base64.
      tensor: `[rows, ...]`.

    Returns:
      The JSON text of each row.

    Raises:
      RequestError: JSON cannot hold values of this type.
    """
    with tf.device("CPU"):
        if tensor.dtype == tf.string:
            text = _encode_strings(tensor, as_bytes=name.endswith(_BYTES_SUFFIX))
        elif tensor.dtype.is_floating:
            text = _encode_floats(tensor)
        elif tensor.dtype.is_integer or tensor.dtype.is_bool:
            text = tf.strings.as_string(tensor)
        else:
            raise RequestError(
                501, f"output {name!r} of type {tensor.dtype.name} has no JSON form"
            )
        while text.shape.rank > 1:
            inner = tf.strings.reduce_join(text, axis=-1, separator=",")
            text = tf.strings.join(["[", inner, "]"])
        return text.numpy().tolist()


def _encode_floats(tensor: tf.Tensor) -> tf.Tensor:
    if tensor.dtype not in _SIGNIFICANT_DIGITS:
        tensor = tf.cast(tensor, tf.float32)
    digits = _SIGNIFICANT_DIGITS[tensor.dtype]
    text = tf.strings.as_string(tensor, precision=digits, shortest=True)
    # Whole numbers keep a point, so that readers see no mixture of types.
    whole = (tensor == tf.floor(tensor)) & (tf.abs(tensor) < _LARGEST_PLAIN)
    if tf.reduce_any(whole):
        text = tf.strings.join([text, tf.where(whole, ".0", "")])
    if not tf.reduce_all(tf.math.is_finite(tensor)):
        text = tf.where(tf.math.is_nan(tensor), "NaN", text)
        text = tf.where(tensor == np.inf, "Infinity", text)
        text = tf.where(tensor == -np.inf, "-Infinity", text)
    return text


def _encode_strings(tensor: tf.Tensor, *, as_bytes: bool) -> tf.Tensor:
    encoded = [
        _encode_string(value, as_bytes) for value in tensor.numpy().ravel().tolist()
    ]
    return tf.reshape(tf.constant(encoded, tf.string), tensor.shape)


def _encode_string(value: bytes, as_bytes: bool) -> str:
    if not as_bytes:
        try:
            return json.dumps(value.decode())
        except UnicodeDecodeError:
            pass
    return json.dumps({"b64": base64.b64encode(value).decode()})


def _object_or_value(values: Mapping[str, bytes]) -> bytes:
    """A JSON object; of one value, the value alone."""
    if len(values) == 1:
        return next(iter(values.values()))
    members = (json.dumps(name).encode() + b":" + text for name, text in values.items())
    return b"{" + b",".join(members) + b"}"


def _list(values: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(values) + b"]"
