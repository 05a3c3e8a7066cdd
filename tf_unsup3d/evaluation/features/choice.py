"""The choice of a feature network."""

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.features.efficientnet_lite0 import efficientnet_lite0
from tf_unsup3d.evaluation.features.inception import inception
from tf_unsup3d.evaluation.features.network import FeatureNetwork
from tf_unsup3d.evaluation.features.random_network import random_network

RANDOM = "random"
EFFICIENTNET_LITE0 = "efficientnet_lite0"


def open_network(
    resolution: int, name: str = RANDOM, inception_weights: str | None = None
) -> FeatureNetwork:
    """Opens the network that `--features` or `--feature_weights` names.

    Args:
      resolution: Height and width of the pictures.
      name: `RANDOM` or `EFFICIENTNET_LITE0`.
      inception_weights: Weights of Keras' InceptionV3, which then takes the place of
        the random network, see `inception`.

    Returns:
      The network.

    Raises:
      UserError: Two networks are named, or the weights cannot be used.
    """
    if inception_weights:
        if name != RANDOM:
            raise UserError(
                f"--features={name} and --feature_weights, which is for InceptionV3, "
                "name different networks; give one of them"
            )
        return inception(inception_weights)
    if name == EFFICIENTNET_LITE0:
        return efficientnet_lite0()
    return random_network(resolution)
