"""Random changes of pictures before the discriminator, for small sets of pictures."""

import dataclasses

import tensorflow as tf

_PARAMETERS = 7


@dataclasses.dataclass(frozen=True)
class DifferentiableAugmentation:
    """Random colours, shifts and holes (DiffAugment, Zhao et al. 2020).

    A discriminator that sees each real picture changed in ever new ways cannot learn a
    small set by heart. Drawn pictures are changed in the same ways, and gradients pass
    through the changes, so that the generator does not learn to make changed pictures.
    The default strengths are those of the paper.

    Attributes:
      brightness: Largest number that is added to a picture in [-1, 1] or taken from it.
      saturation: Largest relative change of the differences between colour channels.
      contrast: Largest relative change of the differences from the picture's mean.
      translation: Largest shift along each axis, as a part of the picture's size. The
        border that is left becomes grey (0).
      cutout: Height and width of a square at a random place that becomes grey, as a
        part of the picture's size.
    """

    brightness: float = 0.5
    saturation: float = 1.0
    contrast: float = 0.5
    translation: float = 0.125
    cutout: float = 0.5

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{field.name} must be from 0 to 1, got {value}")

    def sample_parameters(self, batch: int, seed: tf.Tensor) -> tf.Tensor:
        """Draws what is changed in each picture.

        Args:
          batch: Number of pictures.
          seed: `[2]` integer seed, as `tf.random.stateless_uniform` takes.

        Returns:
          `[batch, 7]` in [0, 1).
        """
        return tf.random.stateless_uniform([batch, _PARAMETERS], seed)

    def apply(self, pictures: tf.Tensor, parameters: tf.Tensor) -> tf.Tensor:
        """Changes pictures.

        Args:
          pictures: `[batch, size, size, 3]` in [-1, 1], of a known size.
          parameters: `[batch, 7]` in [0, 1), which say where in its range each change
            lies: brightness, saturation, contrast, shift downwards and to the right,
            and the vertical and horizontal place of the hole.

        Returns:
          `[batch, size, size, 3]`. Colours may leave [-1, 1].
        """
        brightness, saturation, contrast, *places = tf.unstack(parameters, axis=-1)
        if self.brightness:
            pictures += _around_zero(brightness, self.brightness)
        if self.saturation:
            grey = tf.reduce_mean(pictures, -1, keepdims=True)
            factor = 1.0 + _around_zero(saturation, self.saturation)
            pictures = grey + factor * (pictures - grey)
        if self.contrast:
            mean = tf.reduce_mean(pictures, [1, 2, 3], keepdims=True)
            factor = 1.0 + _around_zero(contrast, self.contrast)
            pictures = mean + factor * (pictures - mean)
        down, right, top, left = places
        size = pictures.shape[1]
        if self.translation:
            largest = round(self.translation * size)
            pictures = _shift(pictures, down, largest, axis=1)
            pictures = _shift(pictures, right, largest, axis=2)
        if self.cutout:
            hole = round(self.cutout * size)
            rows, columns = _inside(top, size, hole), _inside(left, size, hole)
            inside = rows[:, :, None, None] & columns[:, None, :, None]
            pictures = tf.where(inside, 0.0, pictures)
        return pictures


def _around_zero(chances: tf.Tensor, largest: float) -> tf.Tensor:
    """Numbers `[batch, 1, 1, 1]` in [-largest, largest) of chances `[batch]`."""
    return (largest * (2.0 * chances - 1.0))[:, None, None, None]


def _shift(
    pictures: tf.Tensor, chances: tf.Tensor, largest: int, axis: int
) -> tf.Tensor:
    """Shifts each picture by a whole number of pixels in [-largest, largest]."""
    size = pictures.shape[axis]
    shifts = tf.cast(tf.floor(chances * (2 * largest + 1)), tf.int32) - largest
    sources = tf.range(size) - shifts[:, None]
    existing = tf.clip_by_value(sources, 0, size - 1)
    moved = tf.gather(pictures, existing, axis=axis, batch_dims=1)
    within = (sources >= 0) & (sources < size)
    within = within[:, :, None, None] if axis == 1 else within[:, None, :, None]
    return tf.where(within, moved, 0.0)


def _inside(chances: tf.Tensor, size: int, hole: int) -> tf.Tensor:
    """Whether each row or column `[batch, size]` crosses a hole at a random place.

    Part of the hole may be outside of the picture.
    """
    middles = tf.cast(tf.floor(chances * (size + 1 - hole % 2)), tf.int32)
    distances = tf.range(size) - middles[:, None] + hole // 2
    return (distances >= 0) & (distances < hole)
