"""Objects that move, as the frames of a video.

Every function yields frames `[height, width, 3]` uint8 one by one, so that a video of
any length fits into memory if it is written one by one, too. The objects stand side by
side in a grid that is at most twice as wide as high; cells without an object are white.
Backdrops stand still, and objects are seen whole: they turn about their middle.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from tf_unsup3d.export.drawing import draw_pictures
from tf_unsup3d.export.texture_fill import fill_hidden_texture
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.random_streams import latents_of_seeds
from tf_unsup3d.trained.trained_model import TrainedModel

# One turn. The last frame comes one step before the first view again, so that a
# repeated video turns evenly.
FULL_TURN = tuple(360.0 * frame / 48 for frame in range(48))
SPACES = ("w", "z")
# By default a picture has at least this height and width in pixels.
_SMALLEST_PICTURE = 128
# Frames from one object to the next.
_FRAMES_BETWEEN = 24


def turntable(
    model: TrainedModel,
    scene: Scene,
    *,
    yaws_degrees: Sequence[float] = FULL_TURN,
    resolution: int | None = None,
    pitch_degrees: float = 0.0,
) -> Iterator[np.ndarray]:
    """Turns objects while they stay the same.

    Args:
      model: The model that made the scene.
      scene: The objects.
      yaws_degrees: Yaw of the objects in each frame; by default one turn in 48 frames.
      resolution: Height and width of the picture of each object in pixels; by default
        those of training, or the smallest multiple of them of at least 128 pixels.
      pitch_degrees: Pitch of all objects.

    Yields:
      A frame for each yaw.
    """
    renderer = _still_renderer(model, resolution)
    for yaw in yaws_degrees:
        yield _draw_grid(renderer, scene, yaw, pitch_degrees)


def interpolation(
    model: TrainedModel,
    seeds: Sequence[int],
    *,
    truncation_psi: float = 0.7,
    space: str = "w",
    frames_between: int = _FRAMES_BETWEEN,
    yaw_degrees: float = 0.0,
    pitch_degrees: float = 0.0,
    resolution: int | None = None,
) -> Iterator[np.ndarray]:
    """Changes one object into others while it is seen from the same side.

    Args:
      model: The model.
      seeds: Seeds of the objects to pass through, at least two. After the last one
        comes the first one again, so that the video can be repeated.
      truncation_psi: See `TrainedModel.styles`.
      space: "w" interpolates linearly between styles, "z" on great circles between
        latent vectors.
      frames_between: Number of frames from one object to the next.
      yaw_degrees: Yaw in all frames.
      pitch_degrees: Pitch in all frames.
      resolution: See `turntable`.

    Yields:
      `len(seeds) * frames_between` frames.

    Raises:
      ValueError: There are fewer than two seeds, or the space is unknown.
    """
    if len(seeds) < 2:
        raise ValueError(f"seeds must be at least two, got {list(seeds)}")
    if space not in SPACES:
        raise ValueError(f"space must be one of {', '.join(SPACES)}, got {space!r}")
    renderer = _still_renderer(model, resolution)
    ends = latents_of_seeds(seeds, model.generator.latent_size)
    if space == "w":
        ends = model.truncate(model.generator.styles(ends), truncation_psi)
    for start, end in zip(ends, tf.roll(ends, -1, 0), strict=True):
        for frame in range(frames_between):
            part = frame / frames_between
            if space == "w":
                style = (start + part * (end - start))[None]
            else:
                latent = _on_great_circle(start, end, part)[None]
                style = model.truncate(model.generator.styles(latent), truncation_psi)
            scene = fill_hidden_texture(model, model.synthesize(style))
            yield _draw_grid(renderer, scene, yaw_degrees, pitch_degrees)


def truncation(
    model: TrainedModel,
    seeds: Sequence[int],
    *,
    largest: float = 1.0,
    frames: int = 2 * _FRAMES_BETWEEN,
    yaw_degrees: float = 0.0,
    pitch_degrees: float = 0.0,
    resolution: int | None = None,
) -> Iterator[np.ndarray]:
    """Moves objects from the mean object to themselves and back.

    Args:
      model: The model.
      seeds: Seed of each object.
      largest: Largest truncation psi; see `TrainedModel.styles`.
      frames: Number of frames.
      yaw_degrees: Yaw in all frames.
      pitch_degrees: Pitch in all frames.
      resolution: See `turntable`.

    Yields:
      The frames. The first one shows the mean object in every cell.
    """
    renderer = _still_renderer(model, resolution)
    for frame in range(frames):
        psi = largest * (0.5 - 0.5 * math.cos(2.0 * math.pi * frame / frames))
        scene = fill_hidden_texture(model, model.sample(seeds, psi))
        yield _draw_grid(renderer, scene, yaw_degrees, pitch_degrees)


def mix(
    model: TrainedModel,
    seeds: Sequence[int],
    *,
    truncation_psi: float = 0.7,
    yaws_degrees: Sequence[float] = FULL_TURN,
    pitch_degrees: float = 0.0,
    resolution: int | None = None,
) -> Iterator[np.ndarray]:
    """Turns objects with the shape of one object and the texture of another.

    All textures are laid out on the same mesh, so each fits every shape.

    Args:
      model: The model.
      seeds: Seed of each object. Row i of the grid has the shape of object i, column j
        the texture and background of object j.
      truncation_psi: See `TrainedModel.styles`.
      yaws_degrees: Yaw in each frame.
      pitch_degrees: Pitch in all frames.
      resolution: See `turntable`.

    Yields:
      A frame for each yaw.
    """
    renderer = _still_renderer(model, resolution)
    count = len(seeds)
    scene = model.sample(seeds, truncation_psi)
    mixed = Scene(
        tf.repeat(scene.vertices, count, 0),
        tf.tile(scene.texture, [count, 1, 1, 1]),
        tf.tile(scene.background, [count, 1, 1, 1]),
    )
    mixed = fill_hidden_texture(model, mixed)
    for yaw in yaws_degrees:
        yield _draw_grid(renderer, mixed, yaw, pitch_degrees, columns=count)


def _still_renderer(model: TrainedModel, resolution: int | None) -> Renderer:
    if resolution is None:
        resolution = model.resolution * -(-_SMALLEST_PICTURE // model.resolution)
    return model.renderer.replace(
        resolution=resolution, background_range=(0.0, 0.0), pivot=(0.0, 0.0, 0.0)
    )


def _on_great_circle(start: tf.Tensor, end: tf.Tensor, part: float) -> tf.Tensor:
    """Interpolates vectors `[size]` spherically (Shoemake 1985)."""
    cosine = tf.reduce_sum(tf.math.l2_normalize(start) * tf.math.l2_normalize(end))
    angle = tf.acos(tf.clip_by_value(cosine, -1.0, 1.0))
    if angle < 1e-4:
        return start + part * (end - start)
    weights = tf.sin((1.0 - part) * angle), tf.sin(part * angle)
    return (weights[0] * start + weights[1] * end) / tf.sin(angle)


def _draw_grid(
    renderer: Renderer,
    scene: Scene,
    yaw_degrees: float,
    pitch_degrees: float,
    columns: int | None = None,
) -> np.ndarray:
    """Draws the objects side by side, `[height, width, 3]` uint8."""
    count, size = scene.vertices.shape[0], renderer.resolution
    if columns is None:
        columns = _columns(count)
    rows = -(-count // columns)
    cells = np.full([rows * columns, size, size, 3], 255, np.uint8)
    pictures = draw_pictures(renderer, scene, yaw_degrees, pitch_degrees)
    for index, picture in enumerate(pictures):
        cells[index] = picture
    grid = cells.reshape(rows, columns, size, size, 3).swapaxes(1, 2)
    return grid.reshape(rows * size, columns * size, 3)


def _columns(count: int) -> int:
    """Chooses the number of columns of a grid of `count` cells.

    A grid without empty cells is preferred, unless it is more than twice as wide as
    high. Otherwise the grid is as square as possible.
    """
    side = math.ceil(math.sqrt(count))
    for columns in range(side, count + 1):
        rows = count // columns
        if rows * columns == count and columns <= 2 * rows:
            return columns
    return side
