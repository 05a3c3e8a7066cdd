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
from tf_unsup3d.training.tensorboard.projector import write_projector

_MESHES = 3
_STYLE_SEEDS = range(1024)


def draw_sheets(
    folder: pathlib.Path, model: TrainedModel, scene: Scene
) -> Iterator[None]:
    """Draws objects of a model, part by part.

    The sheets become the files `sheet.png` and `depth.png` of the run. `tf.summary`'s
    default writer receives them as well, with some of the objects as meshes, the
    histogram of many styles, and the configuration; the projector's files lie beside
    its events.

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
    sheets: dict[str, Callable[[TrainedModel, Scene], np.ndarray]] = {
        "sheet": scene_sheet,
        "depth": depth_sheet,
    }
    for name, draw in sheets.items():
        yield
        picture = draw(model, scene)
        write_png(folder / f"{name}.png", picture)
        tf.summary.image(f"sheet/{name}", picture[None], step=step)
    yield
    some = Scene(*(value[:_MESHES] for value in scene))
    write_meshes(step, some, model.mesh)
    write_style_histogram(step, model.styles(_STYLE_SEEDS, truncation_psi=1.0))
    yield
    write_projector(folder / model_folder.EVENTS_NAME, model)
    text = model.configuration.to_gin()
    tf.summary.text("configuration/gin", f"```\n{text}\n```", step=step)
