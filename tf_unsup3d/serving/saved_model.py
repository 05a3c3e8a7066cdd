"""One version of a SavedModel, loaded and ready to run."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from tf_unsup3d.compat import message_to_dict
from tf_unsup3d.errors import UserError
from tf_unsup3d.files import reading
from tf_unsup3d.rendering.op_library import load_library
from tf_unsup3d.serving.request_error import from_tensorflow, one_line
from tf_unsup3d.serving.signatures import Signature
from tf_unsup3d.trained.saved_model_folder import GRAPH_NAME

_SERVING_TAG = "serve"
_OUR_OPS = "TfUnsup3d>"


Inputs = Mapping[str, np.ndarray]
Outputs = Mapping[str, tf.Tensor]


@dataclasses.dataclass(frozen=True, eq=False)
class Function:
    """A function that requests call.

    Attributes:
      signature: What it takes and returns.
      run: Computes the outputs of inputs that are as the signature says. It raises
        `RequestError` where TensorFlow cannot.
    """

    signature: Signature
    run: Callable[[Inputs], Outputs]

    def then(self, second: "Function") -> "Function":
        """Makes the function that calls this one and another one with what it returns.

        Args:
          second: The other one. Inputs that this one does not return are inputs of
            both together.
        """
        inner, outer = self.signature, second.signature

        def run(inputs: Inputs) -> Outputs:
            found = self.run({name: inputs[name] for name in inner.inputs})
            known = {**inputs, **{name: found[name].numpy() for name in found}}
            return second.run({name: known[name] for name in outer.inputs})

        left = {
            name: spec
            for name, spec in outer.inputs.items()
            if name not in inner.outputs
        }
        signature = Signature(
            f"{inner.name}, {outer.name}", {**inner.inputs, **left}, outer.outputs
        )
        return Function(signature, run)


class SavedModel:
    """A version of a SavedModel.

    If its graph has ops of this project, the compiled op is loaded first.

    Args:
      folder: The folder of the version, which holds `saved_model.pb`.

    Attributes:
      functions: The functions by the names of their signatures.
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
        self.functions = {
            name: _function(
                Signature.from_signature_def(name, graph.signature_def[name]), concrete
            )
            for name, concrete in self._loaded.signatures.items()
            if name in graph.signature_def
        }
        self._chains: dict[tuple[str, ...], Function] = {}
        if not self.functions:
            raise UserError(f"the SavedModel in {folder} has no signatures")
        self.metadata: dict[str, Any] = {
            name: message_to_dict(definition)
            for name, definition in graph.signature_def.items()
        }

    def chain(self, names: tuple[str, ...]) -> Function | None:
        """Finds the function that calls signatures one after the other.

        Args:
          names: The names of the signatures.

        Returns:
          The function, the same one for the same names; None if one is missing.
        """
        if names not in self._chains and self.functions.keys() >= set(names):
            functions = (self.functions[name] for name in names)
            self._chains[names] = functools.reduce(Function.then, functions)
        return self._chains.get(names)

    def warm_up(self, batch_sizes: Sequence[int], stopping: Callable[[], bool]) -> None:
        """Runs each signature on zeros, for the first run takes longer than others.

        Args:
          batch_sizes: The numbers of rows to run.
          stopping: Asked between runs whether to leave off.
        """
        for function in self.functions.values():
            for size in batch_sizes if function.signature.batched else ():
                zeros = function.signature.zeros(size)
                if zeros is None or stopping():
                    break
                try:
                    function.run(zeros)
                except Exception:
                    # Zeros need not be what the signature takes; requests will show.
                    break


def _function(signature: Signature, concrete: Callable[..., Any]) -> Function:
    def run(inputs: Inputs) -> Outputs:
        try:
            tensors = {
                name: tf.constant(inputs[name], spec.dtype)
                for name, spec in signature.inputs.items()
            }
            return concrete(**tensors)
        except tf.errors.OpError as error:
            raise from_tensorflow(error) from error

    return Function(signature, run)


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
