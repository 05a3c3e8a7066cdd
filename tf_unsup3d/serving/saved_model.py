"""One version of a SavedModel, loaded and ready to run."""

import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from tf_unsup3d.errors import UserError
from tf_unsup3d.files import reading
from tf_unsup3d.rendering.library import load_library
from tf_unsup3d.serving.request_error import from_tensorflow, one_line
from tf_unsup3d.serving.signatures import Signature
from tf_unsup3d.trained.saved_model_folder import GRAPH_NAME

_SERVING_TAG = "serve"
_OUR_OPS = "TfUnsup3d>"


class SavedModel:
    """A version of a SavedModel.

    If its graph has ops of this project, the compiled op is loaded first.

    Args:
      folder: The folder of the version, which holds `saved_model.pb`.

    Attributes:
      signatures: The signatures by name.
      metadata: The signatures as the metadata of TensorFlow Serving's protocol.

    Raises:
      UserError: The folder holds no SavedModel that can be served.
    """

    def __init__(self, folder: pathlib.Path):
        graph = _read_graph(folder / GRAPH_NAME)
        if _has_our_ops(graph):
            load_library()
        try:
            # It holds the variables, which must live as long as the functions.
            self._loaded = tf.saved_model.load(str(folder), tags=[_SERVING_TAG])
        except Exception as error:
            # What a damaged SavedModel raises depends on where the damage is.
            raise UserError(
                f"cannot load the SavedModel in {folder}: {one_line(str(error))}"
            ) from error
        self._functions: Mapping[str, Callable[..., Any]] = self._loaded.signatures
        self.signatures: dict[str, Signature] = {
            name: Signature.from_signature_def(name, graph.signature_def[name])
            for name in self._functions
            if name in graph.signature_def
        }
        if not self.signatures:
            raise UserError(f"the SavedModel in {folder} has no signatures")
        self.metadata: dict[str, Any] = {
            name: MessageToDict(
                definition,
                preserving_proto_field_name=True,
                always_print_fields_with_no_presence=True,
            )
            for name, definition in graph.signature_def.items()
        }

    def run(
        self, signature: str, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, tf.Tensor]:
        """Runs a signature.

        Args:
          signature: Name of the signature.
          inputs: The inputs by name, of the types and shapes of the signature.

        Returns:
          The outputs by name.

        Raises:
          RequestError: TensorFlow cannot compute it.
        """
        specs = self.signatures[signature].inputs
        try:
            tensors = {
                name: tf.constant(inputs[name], spec.dtype)
                for name, spec in specs.items()
            }
            return self._functions[signature](**tensors)
        except tf.errors.OpError as error:
            raise from_tensorflow(error) from error

    def warm_up(self, batch_sizes: Sequence[int], stopping: Callable[[], bool]) -> None:
        """Runs each signature on zeros, for the first run takes longer than others.

        Args:
          batch_sizes: The numbers of rows to run.
          stopping: Asked between runs whether to leave off.
        """
        for name, signature in self.signatures.items():
            for size in batch_sizes if signature.batched else ():
                zeros = signature.zeros(size)
                if zeros is None or stopping():
                    break
                try:
                    self.run(name, zeros)
                except Exception:
                    # Zeros need not be what the signature takes; requests will show.
                    break


def _read_graph(path: pathlib.Path) -> Any:
    """Reads the graph that is tagged for serving."""
    with reading(path):
        content = path.read_bytes()
    try:
        saved = saved_model_pb2.SavedModel.FromString(content)
    except DecodeError as error:
        raise UserError(f"{path} is damaged: {error}") from error
    for graph in saved.meta_graphs:
        if _SERVING_TAG in graph.meta_info_def.tags:
            return graph
    raise UserError(f"{path} has no graph with the tag {_SERVING_TAG!r}")


def _has_our_ops(graph: Any) -> bool:
    ops = graph.meta_info_def.stripped_op_list.op
    return any(op.name.startswith(_OUR_OPS) for op in ops)
