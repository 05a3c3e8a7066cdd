"""What part of pictures is decided by the object, and what part by the view."""

import numpy as np
import tensorflow as tf

from tf_unsup3d.evaluation.consistency.views import Scenes
from tf_unsup3d.evaluation.drawing import Draw
from tf_unsup3d.evaluation.features.network import FeatureNetwork
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.rendering.framing import Framing
from tf_unsup3d.trained.configuration import Viewpoints
from tf_unsup3d.trained.random_streams import RandomViews, random_views, variance_key

# Number of viewpoints from which every object is seen.
VIEWPOINTS = 16

_CHUNK = 4096


def picture_variance(
    draw: Draw,
    scenes: Scenes,
    viewpoints: Viewpoints,
    network: FeatureNetwork,
    seed: int,
) -> dict[str, dict[str, float]]:
    """Splits the variance of pictures of all objects from the same viewpoints.

    Args:
      draw: Function that draws pictures.
      scenes: The objects.
      viewpoints: The distribution p_v that the viewpoints are drawn from.
      network: Network that computes the features.
      seed: Seed of the viewpoints.

    Returns:
      See `ConsistencyReport.variance`.
    """
    views = random_views(viewpoints, VIEWPOINTS, variance_key(seed))
    parts = []
    for scene, *_ in scenes():
        count = scene.vertices.shape[0]
        seen = []
        for index in range(VIEWPOINTS):
            one, framing = _repeated(views, index, count)
            seen.append(draw(scene, one, framing=framing)[0])
        parts.append(to_uint8(tf.stack(seen, 1).numpy()))
    pictures = np.concatenate(parts)
    # The views of one object form a batch.
    features = network.features(pictures).reshape(*pictures.shape[:2], -1)
    return {
        "pixels": variance_shares(pictures),
        "features": variance_shares(features),
    }


def _repeated(views: RandomViews, index: int, count: int) -> RandomViews:
    """One of the views, as often as there are objects."""

    def repeated(value: tf.Tensor) -> tf.Tensor:
        return tf.repeat(value[index : index + 1], count, 0)

    framing = views.framing and Framing(*map(repeated, views.framing))
    return RandomViews(repeated(views.viewpoints), framing)


def variance_shares(values: np.ndarray) -> dict[str, float]:
    """Two-way analysis of variance with one value in each cell (Fisher 1925).

    With x_lv the vector of latent l seen from viewpoint v and dots for means,
    sum |x_lv - x..|^2 = sum |x_l. - x..|^2 + sum |x_.v - x..|^2
    + sum |x_lv - x_l. - x_.v + x..|^2, where all sums run over l and v.

    Args:
      values: `[latents, viewpoints, ...]`, at least two of each.

    Returns:
      The three parts as fractions of the whole: "latent", "view" and "interaction".
      They sum to 1, or are all 0 if nothing varies.
    """
    latents, views = values.shape[:2]
    flat = values.reshape(latents, views, -1)
    parts = np.zeros(3)
    # Double precision of everything at once would take too much memory.
    for first in range(0, flat.shape[-1], _CHUNK):
        piece = flat[..., first : first + _CHUNK].astype(np.float64)
        piece -= piece.mean((0, 1))
        by_latent = piece.mean(1, keepdims=True)
        by_view = piece.mean(0, keepdims=True)
        parts += [
            views * np.sum(by_latent**2),
            latents * np.sum(by_view**2),
            np.sum((piece - by_latent - by_view) ** 2),
        ]
    total = parts.sum()
    shares = parts / total if total > 0.0 else parts
    return dict(zip(("latent", "view", "interaction"), shares.tolist(), strict=True))
