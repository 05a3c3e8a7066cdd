"""Finds what is to be served, and exports it if it is not a SavedModel yet."""

import contextlib
import logging
import pathlib
import tempfile
from collections.abc import Iterator

from tf_unsup3d.errors import UserError
from tf_unsup3d.export.saved_model.writing import export_saved_model
from tf_unsup3d.rendering.op_library import RasterizerLibraryError, find_library
from tf_unsup3d.trained.model_folder import PREFIX
from tf_unsup3d.trained.saved_model_folder import GRAPH_NAME, find_versions
from tf_unsup3d.trained.trained_model import TrainedModel, load

_LOGGER = logging.getLogger(__name__)


@contextlib.contextmanager
def served_folder(source: str) -> Iterator[pathlib.Path]:
    """Provides the folder of a model, with a folder for each version.

    A trained model is exported; see `exported_folder`.

    Args:
      source: Such a folder, or a trained model; see `tf_unsup3d.load`.

    Yields:
      The folder.

    Raises:
      UserError: There is neither, or the model cannot be exported.
    """
    folder = pathlib.Path(source)
    if not source.startswith(PREFIX):
        if find_versions(folder):
            yield folder
            return
        if (folder / GRAPH_NAME).is_file():
            raise UserError(
                f"{folder} is one version of a model; name the folder that holds it"
            )
    with exported_folder(load(source), served_name(source)) as output:
        yield output


@contextlib.contextmanager
def exported_folder(model: TrainedModel, name: str) -> Iterator[pathlib.Path]:
    """Exports a trained model to a temporary folder, removed when the block ends.

    Args:
      model: The trained model. Its pictures are drawn by the compiled op where it is
        built, and otherwise by ops of TensorFlow.
      name: The name of the model.

    Yields:
      The folder, with one version.

    Raises:
      UserError: The model cannot be exported.
    """
    with tempfile.TemporaryDirectory(prefix="unsup3d-serve-") as temporary:
        _LOGGER.info("exporting %s", name)
        output = pathlib.Path(temporary) / name
        export_saved_model(model, output, with_custom_op=_op_is_built())
        yield output


def load_to_draw(source: str) -> TrainedModel:
    """Loads a trained model that draws by the compiled op only where it is built.

    Args:
      source: See `tf_unsup3d.load`.

    Returns:
      The model, which otherwise draws by ops of TensorFlow.

    Raises:
      UserError: There is no model, or it cannot be used.
    """
    model = load(source)
    if not _op_is_built():
        model.renderer = model.renderer.replace(backend="portable")
    return model


def served_name(source: str) -> str:
    """The name of a model by default: that of its folder, or NAME of pretrained:NAME.

    Args:
      source: See `served_folder`.
    """
    if source.startswith(PREFIX):
        return source.removeprefix(PREFIX)
    return pathlib.Path(source).resolve().name


def _op_is_built() -> bool:
    try:
        find_library()
    except RasterizerLibraryError:
        return False
    return True
