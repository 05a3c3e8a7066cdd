"""The distance between two pictures by the features of a published network."""

from collections.abc import Callable

import tensorflow as tf

from tf_unsup3d.evaluation.features.efficientnet_lite0 import (
    SIZE,
    load_efficientnet_lite0,
)

# A function of two batches of pictures [batch, size, size, 3] in [-1, 1]. It returns
# the distances [batch].
PerceptualDistance = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

PERCEPTUAL_NETWORK = "EfficientNet-Lite0"
# The last layer of each resolution, from 112 x 112 to 7 x 7.
_LAYERS = ("block0", "block2", "block4", "block10", "block15")


def perceptual_distance() -> PerceptualDistance:
    """Opens EfficientNet-Lite0 to compare pictures with.

    The distance is that of Zhang et al. (2018), LPIPS, without their learned weights:
    at each place of a layer, the features are scaled to unit length, and the squared
    distance of these vectors is averaged over the places and over five layers. It is 0
    for equal pictures and at most 4. As the network is another and there are no learned
    weights, it cannot be compared with published LPIPS.

    Returns:
      The function, see `PerceptualDistance`.

    Raises:
      UserError: The package of the network is not installed, or its file is damaged.
    """
    network = load_efficientnet_lite0()

    @tf.function(
        autograph=False,
        jit_compile=False,
        input_signature=[tf.TensorSpec([None, None, None, 3])] * 2,
    )
    def distance(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
        both = tf.concat([first, second], 0)
        both = tf.image.resize(both, [SIZE, SIZE], antialias=True)
        outputs = dict(network.layers(both))
        total = 0.0
        for layer in _LAYERS:
            one, other = tf.split(tf.math.l2_normalize(outputs[layer], -1), 2)
            squares = tf.reduce_sum(tf.square(one - other), -1)
            total += tf.reduce_mean(squares, [1, 2])
        return total / len(_LAYERS)

    return distance
