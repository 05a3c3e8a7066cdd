"""Triangles and edges in homogeneous pixel coordinates; see docs/rendering.md."""

import tensorflow as tf

Point = tuple[tf.Tensor, tf.Tensor, tf.Tensor]

# What lies at this depth or nearer is not drawn.
NEAR_DEPTH = 1e-6
_MIN_DOUBLED_AREA = 1e-10


def point(rows: tf.Tensor) -> Point:
    """Splits rows of coordinates.

    Args:
      rows: `[n, 3]`, or `[n, corners, 3]`.

    Returns:
      The coordinates, `[n]` or `[corners, n]` each.
    """
    x, y, z = tf.unstack(tf.transpose(rows))
    return x, y, z


def after(values: tf.Tensor, steps: int) -> tf.Tensor:
    """Turns `[3, n]` values at corners so that those `steps` corners on come first."""
    return tf.roll(values, -steps, 0)


def triangle_volume(corners: Point, apex: Point) -> tf.Tensor:
    """Computes six times the signed volume between triangles and points.

    Args:
      corners: `[3, n]` each.
      apex: `[n]` each.

    Returns:
      `[n]`, negative where the point lies beyond the triangle as seen from its front.
    """
    origin = [values[0] for values in corners]
    px, py, pz = (values - start for values, start in zip(apex, origin, strict=True))
    ux, uy, uz = (values[1] - values[0] for values in corners)
    vx, vy, vz = (values[2] - values[0] for values in corners)
    return (
        px * (uy * vz - uz * vy) + py * (uz * vx - ux * vz) + pz * (ux * vy - uy * vx)
    )


def facing(corners: Point, cull_backfaces: bool) -> tf.Tensor:
    """Tells which side of triangles is drawn.

    Args:
      corners: `[3, n]` each.
      cull_backfaces: Whether back-facing triangles are left out.

    Returns:
      `[n]` int32: 1 for a triangle that shows its front, -1 for its back, 0 for one
      that is not drawn.
    """
    zero = tf.zeros_like(corners[0][0])
    # The doubled area in the picture times all three depths.
    volume = -triangle_volume(corners, (zero, zero, zero))
    smallest = _MIN_DOUBLED_AREA * tf.abs(tf.reduce_prod(corners[2], 0))
    front = tf.cast(volume < -smallest, tf.int32)
    return front if cull_backfaces else front - tf.cast(volume > smallest, tf.int32)


def seen_from(place: tuple[tf.Tensor, tf.Tensor], points: Point) -> Point:
    """Moves the origin of the picture to pixel centres.

    Args:
      place: `[n]` each, the (x, y) of the pixel centres.
      points: `[..., n]` each.

    Returns:
      The points, `[..., n]` each.
    """
    x, y, z = points
    return x - place[0] * z, y - place[1] * z, z


def surface_points(
    place: tuple[tf.Tensor, tf.Tensor], corners: Point
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Finds the points where the rays through pixel centres meet planes of triangles.

    Args:
      place: `[n]` each, the (x, y) of the pixel centres.
      corners: `[3, n]` each, of the triangles.

    Returns:
      barycentric: `[3, n]`, in space.
      depth: `[n]`.
      covered: `[n]`, whether the point lies on the triangle, beyond the near depth.
    """
    x, y, z = seen_from(place, corners)
    # Both triangles at an edge get the same value but for its sign.
    edges = after(x, 1) * after(y, 2) - after(y, 1) * after(x, 2)
    barycentric = edges * (1.0 / tf.reduce_sum(edges, 0))
    depth = tf.reduce_sum(barycentric * z, 0)
    within = tf.reduce_all(edges <= 0.0, 0) | tf.reduce_all(edges >= 0.0, 0)
    return barycentric, depth, within & (depth > NEAR_DEPTH)


def clip_edges(
    first: Point, second: Point
) -> tuple[Point, Point, tf.Tensor, tf.Tensor]:
    """Cuts off what of edges is not beyond the near depth.

    Args:
      first: The first end of each edge, `[..., n]` each.
      second: The second end.

    Returns:
      The ends of what is left, and where these are on the edge `[..., n]`: 0 is its
      first end, 1 its second. An edge of which nothing is left stays as it is.
    """

    def clip(end: Point, other: Point) -> tuple[Point, tf.Tensor]:
        crosses = (end[2] <= NEAR_DEPTH) & (other[2] > NEAR_DEPTH)
        length = tf.where(crosses, other[2] - end[2], 1.0)
        moved = tf.where(crosses, (NEAR_DEPTH - end[2]) / length, 0.0)
        x, y = (end[i] + moved * (other[i] - end[i]) for i in range(2))
        return (x, y, tf.where(~crosses, end[2], NEAR_DEPTH)), moved

    clipped_first, start = clip(first, second)
    clipped_second, end = clip(second, first)
    return clipped_first, clipped_second, start, 1.0 - end


def nearest_on_edges(
    place: tuple[tf.Tensor, tf.Tensor], first: Point, second: Point
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Finds the points of edges that are nearest to pixel centres in the picture.

    Args:
      place: `[n]` each, the (x, y) of the pixel centres.
      first: The first end of each edge beyond the near depth, `[n]` each.
      second: The second end.

    Returns:
      distance: `[n]`, from the pixel centre to the point, in pixels.
      depth: `[n]`, of the point.
      fraction: `[n]`, where the point is on the edge in space, from 0 to 1.
    """
    ax, ay, az = seen_from(place, first)
    bx, by, bz = seen_from(place, second)
    # Along the edge in the picture, times both depths.
    dx, dy = az * bx - bz * ax, az * by - bz * ay
    past_first = -(ax * dx + ay * dy)
    before_second = bx * dx + by * dy
    inside = (past_first > 0.0) & (before_second > 0.0)
    length = tf.where(inside, past_first + before_second, 1.0)
    at_end = tf.cast(past_first > 0.0, az.dtype)
    fraction = tf.where(inside, past_first / length, at_end)
    x, y, depth = (
        (1.0 - fraction) * a + fraction * b for a, b in ((ax, bx), (ay, by), (az, bz))
    )
    square = x * x + y * y
    # The square root has no derivative at 0.
    away = square > 0.0
    distance = tf.where(away, tf.sqrt(tf.where(away, square, 1.0)), 0.0) / depth
    return distance, depth, fraction
