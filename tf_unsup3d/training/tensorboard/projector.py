"""Files for TensorBoard's projector: styles as points, with pictures of the objects."""

import pathlib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from tensorboard.plugins.projector import EmbeddingInfo, ProjectorConfig

from tf_unsup3d.export.pictures import to_uint8, write_png
from tf_unsup3d.files import write_text
from tf_unsup3d.trained.trained_model import TrainedModel

_CONFIG_NAME = "projector_config.pbtxt"
_STYLES_NAME, _SEEDS_NAME, _SPRITE_NAME = "styles.tsv", "seeds.tsv", "styles.png"

# The sprite is a square of thumbnails.
_COLUMNS = 8
# The objects that are shown.
SEEDS = range(_COLUMNS**2)
_THUMBNAIL = 32
_BATCH = 16


def write_projector(
    folder: pathlib.Path, model: TrainedModel, styles: tf.Tensor
) -> None:
    """Writes styles, their seeds, and pictures of their objects.

    Args:
      folder: Folder of the event files. The files of an earlier call are replaced.
      model: The model.
      styles: The styles `[64, style_size]` of `SEEDS`.

    Raises:
      UserError: A file cannot be written.
    """
    pictures = np.concatenate(
        [
            model.draw(
                model.synthesize(styles[first : first + _BATCH]), resolution=_THUMBNAIL
            )["picture"]
            for first in range(0, len(SEEDS), _BATCH)
        ]
    )
    write_text(folder / _STYLES_NAME, _table(styles.numpy().tolist()))
    write_text(folder / _SEEDS_NAME, _table([[seed] for seed in SEEDS]))
    write_png(folder / _SPRITE_NAME, _sprite(to_uint8(pictures)))
    embedding = EmbeddingInfo(
        tensor_name="styles",
        tensor_path=_STYLES_NAME,
        metadata_path=_SEEDS_NAME,
    )
    embedding.sprite.image_path = _SPRITE_NAME
    embedding.sprite.single_image_dim.extend([_THUMBNAIL, _THUMBNAIL])
    config = ProjectorConfig(embeddings=[embedding])
    # Last, because it names the others.
    write_text(folder / _CONFIG_NAME, text_format.MessageToString(config))


def _table(rows: Sequence[Sequence[float]]) -> str:
    """Lines of numbers between tabs."""
    return "".join("\t".join(f"{value:.6g}" for value in row) + "\n" for row in rows)


def _sprite(pictures: np.ndarray) -> np.ndarray:
    """The square `[side, side, 3]` of pictures `[64, size, size, 3]`, row by row."""
    size = pictures.shape[1]
    grid = pictures.reshape([_COLUMNS, _COLUMNS, size, size, 3])
    return grid.swapaxes(1, 2).reshape([_COLUMNS * size, _COLUMNS * size, 3])
