"""What TensorBoard shows of a model whenever a sheet is drawn."""

import pathlib
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from tf_unsup3d.export.pictures import write_png
from tf_unsup3d.export.scene_sheets import depth_sheet, scene_sheet
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.trained_model import TrainedModel
from tf_unsup3d.training.tensorboard.histograms import write_style_histogram
from tf_unsup3d.training.tensorboard.meshes import write_meshes
from tf_unsup3d.training.tensorboard.projector import SEEDS, write_projector

# Name in TensorBoard, name of the file, and the function that draws.
_SHEETS: tuple[tuple[str, str, Callable[[TrainedModel, Scene], np.ndarray]], ...] = (
    ("pictures", "sheet.png", scene_sheet),
    ("depth", "depth.png", depth_sheet),
)
_MESHES = 3


def draw_sheets(
    folder: pathlib.Path, model: TrainedModel, scene: Scene
) -> Iterator[None]:
    """Draws objects of a model, part by part.

    The sheets become the files `sheet.png` and `depth.png` of the run. `tf.summary`'s
    default writer receives them as well, with some of the objects as meshes and the
    histogram of many styles; the projector's files lie beside its events.

    Args:
      folder: Folder of the run.
      model: The model.
      scene: Objects of the model.

    Yields:
      None before each part, where the caller may end it.

    Raises:
      UserError: A file cannot be written.
    """
    step = model.step
    for name, file_name, draw in _SHEETS:
        yield
        picture = draw(model, scene)
        write_png(folder / file_name, picture)
        tf.summary.image(f"sheet/{name}", picture[None], step=step)
    yield
    some = Scene(*(value[:_MESHES] for value in scene))
    write_meshes(step, some, model.mesh)
    yield
    styles = model.styles(SEEDS, truncation_psi=1.0)
    write_style_histogram(step, styles)
    write_projector(folder / model_folder.EVENTS_NAME, model, styles)
