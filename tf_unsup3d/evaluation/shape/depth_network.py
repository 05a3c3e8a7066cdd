"""A network that tells depth from a single picture, trained on pairs of both.

It carries a generator's idea of shape over to pictures whose true depth is known:
trained on the generator's own pictures and depth alone, it can only be as right about
other pictures as the generator is (Wu et al. 2020 and Pan et al. 2021 measure so).
"""

import math

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from tf_unsup3d.evaluation.shape.pairs import DepthPairs
from tf_unsup3d.models import precision
from tf_unsup3d.models.layers import EqualizedConv, downsample, leaky_relu, upsample
from tf_unsup3d.rendering.camera import PinholeCamera

BATCH_SIZE = 16
_LEARNING_RATE = 0.01
_SLOPE_WEIGHT = 0.1
_MASK_WEIGHT = 0.3
# Part of the pairs that is left out, to see how training went.
_HELD_OUT = 0.05
_RECORDS = 10
_CHUNK = 64


class DepthNetwork(keras.Model):
    """U-Net (Ronneberger et al. 2015) with the layers of the other models.

    It works at half the pictures' resolution and below, and gives the four pixels of
    each of its own as channels: most of a U-Net's time goes into its finest level.

    Args:
      channels: at half resolution; doubled at each of the coarser levels.
      levels: Number of levels; the coarsest is 4 x 4 for pictures of 64 x 64.
      camera: The camera of the pictures.
    """

    def __init__(
        self,
        channels: int = 24,
        levels: int = 4,
        camera: PinholeCamera = PinholeCamera(),
        **kwargs,
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

    def build(self, input_shape):
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
        # Starts from a flat card; random depth is far steeper than any surface.
        self.last.kernel.assign(tf.zeros(self.last.kernel.shape))
        self.built = True

    def call(self, pictures):
        """Depth and mask of pictures.

        Args:
          pictures: [batch, size, size, 3] in [-1, 1]; size is a multiple of
            2^`levels`.

        Returns:
          Depth from the camera and logits of the mask, [batch, size, size] each.
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
        # To first order the distance plus an offset; positive, and its logarithm is
        # linear in the offset.
        offset = outputs[..., 0] / self.camera.distance
        return self.camera.distance * tf.exp(offset), outputs[..., 1]


def depth_loss(
    depth: tf.Tensor,
    logits: tf.Tensor,
    true_depth: tf.Tensor,
    mask: tf.Tensor,
    distance: float,
) -> tf.Tensor:
    """How far depth and mask are from true.

    Of the error e of log depth, in units of the unit ball's radius, within the mask:
    mean e^2 - 1/2 (mean e)^2 (Eigen et al. 2014), as the distance from the camera is
    hard to tell from one picture; plus the mean square of its slope (Eigen and Fergus
    2015), which is what turns normals. Then the cross entropy of the mask.

    Args:
      depth: [batch, size, size] positive.
      logits: [batch, size, size].
      true_depth: [batch, size, size], positive in the mask.
      mask: [batch, size, size] float32, 0 or 1.
      distance: Distance from the camera to the middle of the unit ball.

    Returns:
      [batch].
    """
    true_depth = tf.where(mask > 0.0, true_depth, distance)
    error = distance * (tf.math.log(depth) - tf.math.log(true_depth)) * mask
    value = _masked_mean(error**2, mask) - 0.5 * _masked_mean(error, mask) ** 2
    # Pixels are about 2 / size wide in the plane through the unit ball's centre.
    across = 0.5 * depth.shape[2] * (error[:, :, 1:] - error[:, :, :-1])
    down = 0.5 * depth.shape[1] * (error[:, 1:] - error[:, :-1])
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
    that the outcome does not hang on the last batches.

    Args:
      pairs: at least two; some are left out to measure the loss on.
      steps: batches of `BATCH_SIZE` to train on.
      seed: of the first weights and of the order of the pairs.
      name: shown beside the progress bar.

    Returns:
      The network, and records of `step` and `loss` on the pairs left out: a loss that
      still falls at the end asks for more steps.
    """
    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    order = random.permutation(len(pairs))
    held_out = max(1, int(_HELD_OUT * len(pairs)))
    left_out, used = pairs.take(order[:held_out]), order[held_out:]
    network = DepthNetwork(camera=pairs.camera)
    network.build([None, *pairs.pictures.shape[1:]])
    optimizer = keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps), beta_2=0.99
    )
    optimizer.build(network.trainable_variables)
    dtype = precision.convolution_dtype("auto")
    distance = pairs.camera.distance

    @tf.function(jit_compile=False)
    def update(pictures, depth, mask):
        with precision.convolutions_in(dtype), tf.GradientTape() as tape:
            outputs = network(pictures)
            loss = tf.reduce_mean(depth_loss(*outputs, depth, mask, distance))
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
            records.append({"step": step, "loss": _loss(network, left_out)})
    return network, records


def predict_depth(
    network: DepthNetwork, pictures: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Depth and masks that a network sees in pictures.

    Args:
      network: trained.
      pictures: [pictures, size, size, 3] uint8.

    Returns:
      Depth [pictures, size, size] float32, positive, and masks [pictures, size, size]
      bool.
    """
    parts = [
        network(_normalized(pictures[first : first + _CHUNK]))
        for first in range(0, len(pictures), _CHUNK)
    ]
    depth, logits = (np.concatenate(part) for part in zip(*parts, strict=True))
    return depth, logits > 0.0


def _normalized(pictures):
    return np.asarray(pictures, np.float32) / 127.5 - 1.0


def _tensors(pairs, mirrored):
    """Arguments of a training step, some of them turned left to right."""
    arrays = _normalized(pairs.pictures), pairs.depth, pairs.mask.astype(np.float32)
    for array in arrays:
        chosen = mirrored.reshape([-1] + [1] * (array.ndim - 1))
        yield tf.constant(np.where(chosen, array[:, :, ::-1], array))


def _loss(network, pairs):
    losses = []
    for first in range(0, len(pairs), _CHUNK):
        part = pairs.take(slice(first, first + _CHUNK))
        pictures, depth, mask = _tensors(part, np.zeros(len(part), bool))
        loss = depth_loss(*network(pictures), depth, mask, pairs.camera.distance)
        losses.extend(loss.numpy())
    return float(np.mean(losses))


def _masked_mean(values, mask):
    """Mean [batch] over the mask, 0 where it is empty."""
    total = tf.reduce_sum(values * mask, [1, 2])
    return tf.math.divide_no_nan(total, tf.reduce_sum(mask, [1, 2]))
