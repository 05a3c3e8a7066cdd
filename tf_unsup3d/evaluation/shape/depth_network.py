"""A network that estimates depth from a single picture, trained on pairs of both.

It applies a generator's notion of shape to pictures whose true depth is known: trained
on nothing but the generator's pictures and depth, it can only be as right about other
pictures as the generator is. Wu et al. 2020 and Pan et al. 2021 measure shape this way.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from tf_unsup3d.evaluation.pixel_width import pixel_width
from tf_unsup3d.evaluation.shape.pairs import DepthPairs
from tf_unsup3d.models import precision
from tf_unsup3d.models.layers import EqualizedConv, downsample, leaky_relu, upsample
from tf_unsup3d.rendering.camera import PinholeCamera

BATCH_SIZE = 16
_LEARNING_RATE = 0.01
_SLOPE_WEIGHT = 0.1
_MASK_WEIGHT = 0.3
# Fraction of the pairs that is held out to record how training went.
_HELD_OUT = 0.05
_RECORDS = 10
_CHUNK = 64


class DepthNetwork(keras.Model):
    """U-Net (Ronneberger et al. 2015) with the layers of the other models.

    It works at half the resolution of the pictures and below; its outputs hold four
    pixels each, as channels. A level at full resolution would take most of the time.

    Args:
      camera: Camera of the pictures.
      channels: Number of channels at half resolution. It doubles from level to level,
        up to four times this number.
      levels: Number of levels; of four levels the coarsest is 4 x 4 for pictures of
        64 x 64.
    """

    def __init__(
        self,
        camera: PinholeCamera,
        channels: int = 24,
        levels: int = 4,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        widths = [min(channels * 2**level, 4 * channels) for level in range(levels)]
        self.widths = widths
        self.camera = camera
        self.first = EqualizedConv(widths[0])
        self.down = [EqualizedConv(width) for width in widths[1:]]
        self.middle = EqualizedConv(widths[-1])
        self.up = [EqualizedConv(width) for width in widths[-2::-1]]
        self.merge = [EqualizedConv(width) for width in widths[-2::-1]]
        self.last = EqualizedConv(8)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights; the network starts from a flat card."""
        widths = self.widths
        self.first.build([None, None, None, 12])
        for layer, width in zip(self.down, widths[:-1], strict=True):
            layer.build([None, None, None, width])
        self.middle.build([None, None, None, widths[-1]])
        for layer, width in zip(self.up, widths[:0:-1], strict=True):
            layer.build([None, None, None, width])
        for layer, width in zip(self.merge, widths[-2::-1], strict=True):
            layer.build([None, None, None, width])
        self.last.build([None, None, None, widths[0]])
        # Training starts from a flat card: random depth is steeper than any surface.
        self.last.kernel.assign(tf.zeros(self.last.kernel.shape))
        self.built = True

    def call(self, pictures: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Estimates depth and masks.

        Args:
          pictures: `[batch, size, size, 3]` in [-1, 1]; the size is a multiple of
            2^`levels`.

        Returns:
          Depth from the camera and logits of the mask, `[batch, size, size]` each.
        """
        outputs = leaky_relu(self.first(tf.nn.space_to_depth(pictures, 2)))
        skips = []
        for layer in self.down:
            skips.append(outputs)
            outputs = leaky_relu(layer(downsample(outputs)))
        outputs = leaky_relu(self.middle(outputs))
        for up, merge in zip(self.up, self.merge, strict=True):
            outputs = upsample(leaky_relu(up(outputs)))
            outputs = (outputs + skips.pop()) / math.sqrt(2.0)
            outputs = leaky_relu(merge(outputs))
        outputs = tf.nn.depth_to_space(self.last(outputs), 2)
        # To first order the depth is the distance plus the output, but it is always
        # positive, and its logarithm is linear in the output.
        offset = outputs[..., 0] / self.camera.distance
        return self.camera.distance * tf.exp(offset), outputs[..., 1]


def depth_loss(
    depth: tf.Tensor,
    logits: tf.Tensor,
    true_depth: tf.Tensor,
    mask: tf.Tensor,
    camera: PinholeCamera,
) -> tf.Tensor:
    """Computes the loss of estimated depth and masks.

    Let e be the error of log depth within the mask, times the distance of the object.
    The loss is a weighted sum of mean e^2 - 1/2 (mean e)^2 (Eigen et al. 2014), because
    the distance is hard to tell from one picture; of the mean square of the slope of e
    (Eigen and Fergus 2015), because slopes are what turns normals; and of the cross
    entropy of the mask.

    Args:
      depth: `[batch, size, size]`, estimated depth, positive.
      logits: `[batch, size, size]`, logits of the estimated mask.
      true_depth: `[batch, size, size]`, positive in the mask.
      mask: `[batch, size, size]` float32, 0 or 1.
      camera: Camera of the pictures.

    Returns:
      `[batch]`.
    """
    distance = camera.distance
    true_depth = tf.where(mask > 0.0, true_depth, distance)
    error = distance * (tf.math.log(depth) - tf.math.log(true_depth)) * mask
    value = _masked_mean(error**2, mask) - 0.5 * _masked_mean(error, mask) ** 2
    pixel = pixel_width(camera, depth.shape[1])
    across = (error[:, :, 1:] - error[:, :, :-1]) / pixel
    down = (error[:, 1:] - error[:, :-1]) / pixel
    slope = _masked_mean(across**2, mask[:, :, 1:] * mask[:, :, :-1])
    slope += _masked_mean(down**2, mask[:, 1:] * mask[:, :-1])
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(labels=mask, logits=logits)
    entropy = tf.reduce_mean(entropy, [1, 2])
    return value + _SLOPE_WEIGHT * slope + _MASK_WEIGHT * entropy


def train_depth_network(
    pairs: DepthPairs,
    steps: int,
    *,
    seed: int = 0,
    name: str = "depth network",
) -> tuple[DepthNetwork, list[dict[str, float]]]:
    """Trains a network on pairs of pictures and depth, and nothing else.

    Pairs are mirrored at random. The learning rate falls to zero along a cosine, so
    that the result does not depend on the last batches.

    Args:
      pairs: At least two pairs; some are held out to measure the loss.
      steps: Number of training steps, with a batch of `BATCH_SIZE` pairs each.
      seed: Seed of the initial weights and of the order of the pairs.
      name: Label of the progress bar.

    Returns:
      The network, and records of `step` and `loss` on the held-out pairs. A loss that
      still falls at the end means that there were too few steps.
    """
    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    order = random.permutation(len(pairs))
    count = max(1, int(_HELD_OUT * len(pairs)))
    held_out, used = pairs.take(order[:count]), order[count:]
    network = DepthNetwork(camera=pairs.camera)
    network.build([None, *pairs.pictures.shape[1:]])
    optimizer = keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps), beta_2=0.99
    )
    optimizer.build(network.trainable_variables)
    dtype = precision.convolution_dtype("auto")

    @tf.function(autograph=False, jit_compile=False)
    def update(pictures: tf.Tensor, depth: tf.Tensor, mask: tf.Tensor) -> None:
        with precision.convolutions_in(dtype), tf.GradientTape() as tape:
            found, logits = network(pictures)
            losses = depth_loss(found, logits, depth, mask, pairs.camera)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(
            zip(gradients, network.trainable_variables, strict=True)
        )

    records = []
    queue = np.zeros([0], np.int64)
    for step in tqdm(range(1, steps + 1), desc=name, unit="step", disable=None):
        while len(queue) < BATCH_SIZE:
            queue = np.concatenate([queue, random.permutation(used)])
        batch, queue = pairs.take(queue[:BATCH_SIZE]), queue[BATCH_SIZE:]
        update(*_tensors(batch, random.random(BATCH_SIZE) < 0.5))
        if step % max(1, steps // _RECORDS) == 0 or step == steps:
            records.append({"step": step, "loss": _loss(network, held_out)})
    return network, records


def predict_depth(
    network: DepthNetwork, pictures: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Estimates depth and masks of pictures.

    Args:
      network: The trained network.
      pictures: `[pictures, size, size, 3]` uint8.

    Returns:
      Depth `[pictures, size, size]` float32, positive, and masks
      `[pictures, size, size]` bool.
    """
    parts = [
        network(_normalized(pictures[first : first + _CHUNK]))
        for first in range(0, len(pictures), _CHUNK)
    ]
    depth, logits = (np.concatenate(part) for part in zip(*parts, strict=True))
    return depth, logits > 0.0


def _normalized(pictures: np.ndarray) -> np.ndarray:
    return np.asarray(pictures, np.float32) / 127.5 - 1.0


def _tensors(pairs: DepthPairs, mirrored: np.ndarray) -> Iterator[tf.Tensor]:
    """The arguments of a training step, mirrored where `mirrored` is true."""
    arrays = _normalized(pairs.pictures), pairs.depth, pairs.mask.astype(np.float32)
    for array in arrays:
        chosen = mirrored.reshape([-1] + [1] * (array.ndim - 1))
        yield tf.constant(np.where(chosen, array[:, :, ::-1], array))


def _loss(network: DepthNetwork, pairs: DepthPairs) -> float:
    losses = []
    for first in range(0, len(pairs), _CHUNK):
        part = pairs.take(slice(first, first + _CHUNK))
        pictures, depth, mask = _tensors(part, np.zeros(len(part), bool))
        found, logits = network(pictures)
        loss = depth_loss(found, logits, depth, mask, pairs.camera)
        losses.extend(loss.numpy())
    return float(np.mean(losses))


def _masked_mean(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Mean `[batch]` over the mask, 0 where it is empty."""
    total = tf.reduce_sum(values * mask, [1, 2])
    return tf.math.divide_no_nan(total, tf.reduce_sum(mask, [1, 2]))
