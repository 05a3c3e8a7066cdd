"""Requests with which TensorFlow Serving warms up a model before it serves it.

They are `tensorflow.serving.PredictionLog` messages in a TFRecord file. The messages
are declared here, as far as they are needed, rather than taken from the package
`tensorflow-serving-api`, which belongs to one version of TensorFlow each. What counts
in a file are the numbers and types of the fields, not the names of the messages.
"""

import functools
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FILE_NAME = "tf_serving_warmup_requests"

_PACKAGE = "tf_unsup3d.warmup"
_Field = descriptor_pb2.FieldDescriptorProto
# For each message its fields: name, number, and the message that it holds, if any.
_MESSAGES: dict[str, list[tuple[str, int, str | None]]] = {
    "ModelSpec": [("name", 1, None), ("signature_name", 3, None)],
    "Input": [("key", 1, None), ("value", 2, "tensorflow.TensorProto")],
    "PredictRequest": [
        ("model_spec", 1, f"{_PACKAGE}.ModelSpec"),
        ("inputs", 2, f"{_PACKAGE}.Input"),
    ],
    "PredictLog": [("request", 1, f"{_PACKAGE}.PredictRequest")],
    "PredictionLog": [("predict_log", 6, f"{_PACKAGE}.PredictLog")],
}


def write_warmup_requests(
    path: pathlib.Path, model_name: str, requests: Mapping[str, Mapping[str, Any]]
) -> None:
    """Writes one request for each signature.

    Args:
      path: The file to write.
      model_name: Name under which the model is served.
      requests: Inputs by their names, as tensors or arrays, by names of signatures.
    """
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature_name, inputs in requests.items():
            log = _message_class("PredictionLog")()
            request = log.predict_log.request
            request.model_spec.name = model_name
            request.model_spec.signature_name = signature_name
            for name, value in inputs.items():
                proto = tf.make_tensor_proto(np.asarray(value))
                # A map is a list of pairs in a file.
                request.inputs.add(key=name).value.CopyFrom(proto)
            writer.write(log.SerializeToString())


@functools.cache
def _message_class(name: str) -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="tf_unsup3d/warmup.proto",
        package=_PACKAGE,
        syntax="proto3",
        dependency=["tensorflow/core/framework/tensor.proto"],
    )
    for message, fields in _MESSAGES.items():
        entry = file.message_type.add(name=message)
        for field, number, held in fields:
            entry.field.add(
                name=field,
                number=number,
                type=_Field.TYPE_MESSAGE if held else _Field.TYPE_STRING,
                type_name=f".{held}" if held else None,
                label=_Field.LABEL_REPEATED
                if field == "inputs"
                else _Field.LABEL_OPTIONAL,
            )
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")
    )
