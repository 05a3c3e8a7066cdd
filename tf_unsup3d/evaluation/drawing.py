"""Pictures together with the depth of the surface that they show."""

from collections.abc import Callable

import tensorflow as tf

from tf_unsup3d.rendering.framing import Framing
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.rendering.scene import Scene

# A function of a scene, of viewpoints [batch, 3] in radians and, optionally, of the
# seed of the lamps and of how the pictures are framed. It returns pictures
# [batch, size, size, 3] in [-1, 1], depth from the camera [batch, size, size] and masks
# [batch, size, size] bool.
Draw = Callable[..., tuple[tf.Tensor, tf.Tensor, tf.Tensor]]


def depth_drawing(renderer: Renderer) -> Draw:
    """Makes a function that draws pictures together with the depth of the surface.

    Depth is that of the surface at the pixel centres. The renderer's soft layer pushes
    depth back at silhouettes, so it is switched off for depth and mask.

    Args:
      renderer: The renderer of the pictures.

    Returns:
      The function, see `Draw`.
    """
    hard = renderer.replace(margin=0.0)

    @tf.function(autograph=False, jit_compile=False)
    def draw(
        scene: Scene,
        views: tf.Tensor,
        light_seed: tf.Tensor | None = None,
        framing: Framing | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        drawn = renderer(
            scene, views, light_seed, outputs=("picture",), framing=framing
        )
        surface = hard(scene, views, outputs=("depth", "mask"), framing=framing)
        return drawn["picture"], surface["depth"][..., 0], surface["mask"][..., 0] > 0.5

    return draw
