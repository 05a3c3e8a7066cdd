"""The size of a pixel in the units of the vertices."""

import math

from tf_unsup3d.rendering.camera import PinholeCamera


def pixel_width(camera: PinholeCamera, size: int) -> float:
    """Computes about how much of an object one pixel shows.

    For the default camera, whose pictures just hold the unit ball, this is 2 / `size`.

    Args:
      camera: The camera.
      size: Height and width of the pictures in pixels.

    Returns:
      The width of a pixel at the distance of the origin of world space, up to the
      difference between the sine and the tangent of half the field of view.
    """
    return 2.0 * camera.distance * math.sin(0.5 * camera.field_of_view) / size
