"""The rasteriser's picture by brute force, to check both backends against.

It follows the definition in `tf_unsup3d.rendering.render_mesh` and shares nothing with
the backends but bilinear sampling: every triangle is tried at every pixel and the
layers of a pixel are found by cutting 0 < v < 1 at every place where the view could
change. TensorFlow differentiates it. Which triangle and which edges a pixel sees is
found first, without gradient; the colours are then computed for these alone, so that no
unselected branch can spoil a gradient.
"""

import math

import tensorflow as tf

from tf_unsup3d.rendering.texture import sample_bilinear

# What lies at this depth or nearer is not drawn.
_NEAR_DEPTH = 1e-6
_MIN_DOUBLED_AREA = 1e-10
# How many (pixel, triangle) pairs the search for the sharp layer holds at once.
_MAX_PAIRS = 1 << 21


def render_mesh(
    vertices: tf.Tensor,
    triangles: tf.Tensor,
    neighbors: tf.Tensor,
    uv: tf.Tensor,
    uv_triangles: tf.Tensor,
    texture: tf.Tensor,
    attributes: tf.Tensor,
    background: tf.Tensor,
    margin: float,
    depth_push: float,
    cull_backfaces: bool,
    mipmaps: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws like the op `render_mesh`, whose arguments it has.

    Unlike the compiled op it does not check its inputs.

    Args:
      vertices: `[batch, vertices, 3]`.
      triangles: `[triangles, 3]` int32.
      neighbors: `[triangles, 3]` int32.
      uv: `[uvs, 2]`.
      uv_triangles: `[triangles, 3]` int32.
      texture: `[batch, texture_height, texture_width, texture_channels]`.
      attributes: `[batch, vertices, attribute_channels]`.
      background: `[batch, height, width, texture_channels + attribute_channels]`.
      margin: width of the soft layer in pixels.
      depth_push: by which part of its depth the soft layer recedes over the margin.
      cull_backfaces: whether back-facing triangles are left out.
      mipmaps: whether the texture is sampled from mipmaps.

    Returns:
      picture: `[batch, height, width, texture_channels + attribute_channels]`.
      triangle_ids: `[batch, height, width]` int32.
    """

    def render_one(
        inputs: tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor],
    ) -> tuple[tf.Tensor, tf.Tensor]:
        return _render_one(
            *inputs,
            triangles,
            neighbors,
            uv,
            uv_triangles,
            margin,
            depth_push,
            cull_backfaces,
            mipmaps,
        )

    picture, triangle_ids = tf.map_fn(
        render_one,
        (vertices, texture, attributes, background),
        fn_output_signature=(
            tf.TensorSpec(background.shape[1:], background.dtype),
            tf.TensorSpec(background.shape[1:3], tf.int32),
        ),
    )
    return picture, triangle_ids


def _render_one(
    vertices: tf.Tensor,
    texture: tf.Tensor,
    attributes: tf.Tensor,
    background: tf.Tensor,
    triangles: tf.Tensor,
    neighbors: tf.Tensor,
    uv: tf.Tensor,
    uv_triangles: tf.Tensor,
    margin: float,
    depth_push: float,
    cull_backfaces: bool,
    mipmaps: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws one picture `[height, width, channels]` and its triangle indices."""
    height, width, channels = tf.unstack(tf.shape(background))
    dtype = vertices.dtype
    rows, columns = tf.meshgrid(
        tf.range(height, dtype=tf.int32), tf.range(width, dtype=tf.int32), indexing="ij"
    )
    half = tf.constant(0.5, dtype)
    pixels = tf.reshape(
        tf.stack([tf.cast(columns, dtype) + half, tf.cast(rows, dtype) + half], -1),
        [-1, 2],
    )
    corners = tf.gather(vertices, triangles)
    facing = _facing(corners, cull_backfaces)
    drawn = facing != 0

    # One dummy triangle more, which stands for the background and is never seen.
    dummy = tf.constant([[[0, 0, 1], [0, 1, 1], [1, 0, 1]]], dtype)
    corners = tf.concat([corners, dummy], 0)

    # With its row of zeros, which also serves a mesh without any vertex or UV.
    def pad(values: tf.Tensor) -> tf.Tensor:
        return tf.pad(values, [[0, 1], [0, 0]])

    surface = _Surface(
        corners=corners,
        attributes=tf.gather(pad(attributes), pad(triangles)),
        uv=tf.gather(pad(uv), pad(uv_triangles)),
        texture=texture,
        mipmaps=mipmaps,
    )

    sharp = tf.stop_gradient(_nearest_triangles(corners[:-1], drawn, pixels))
    hit = sharp >= 0
    sharp_triangle = tf.where(hit, sharp, tf.shape(triangles)[0])
    barycentric, sharp_depth, _ = _barycentric(
        tf.gather(corners, sharp_triangle),
        tf.where(hit[:, None], pixels, tf.constant(0.25, dtype)),
    )
    sharp_colour = tf.where(
        hit[:, None],
        surface.colour(sharp_triangle, barycentric),
        tf.reshape(background, [-1, channels]),
    )
    if margin > 0:
        picture = _composite(
            surface,
            _silhouettes(neighbors, facing, corners),
            pixels,
            hit,
            sharp_depth,
            sharp_colour,
            margin,
            depth_push,
        )
    else:
        picture = sharp_colour
    return (
        tf.reshape(picture, tf.shape(background)),
        tf.reshape(tf.cast(sharp, tf.int32), [height, width]),
    )


class _Surface:
    """What the triangles of one picture look like, corner by corner.

    Attributes:
      corners: `[triangles, 3, 3]`, homogeneous like the vertices.
    """

    def __init__(
        self,
        corners: tf.Tensor,
        attributes: tf.Tensor,
        uv: tf.Tensor,
        texture: tf.Tensor,
        mipmaps: bool,
    ):
        self.corners = corners
        self._attributes = attributes
        self._uv = uv
        self._levels = _halved(texture) if mipmaps else [texture]

    def colour(self, triangle: tf.Tensor, barycentric: tf.Tensor) -> tf.Tensor:
        """The colours `[n, channels]` of points on triangles `[n]`."""
        weights = barycentric[..., None]
        corner_uv = tf.gather(self._uv, triangle)
        uv = tf.reduce_sum(corner_uv * weights, -2)
        attributes = tf.reduce_sum(tf.gather(self._attributes, triangle) * weights, -2)
        last = len(self._levels) - 1
        detail = tf.zeros_like(uv[:, 0])
        if last > 0:
            corners = tf.gather(self.corners, triangle)
            steps = _steps(corners, corner_uv, barycentric)
            steps *= tf.cast(tf.shape(self._levels[0])[1::-1], steps.dtype)
            square = tf.reduce_max(tf.reduce_sum(steps**2, -1), -1)
            detail = tf.math.log(tf.maximum(square, 1)) / (2 * math.log(2))
            detail = tf.minimum(detail, last)
        # A level counts the more, the nearer it is to the level of detail.
        colours = 0
        for index, level in enumerate(self._levels):
            share = tf.maximum(1 - tf.abs(detail - index), 0)[:, None]
            height, width, channels = tf.unstack(tf.shape(level))
            texels = tf.reshape(level, [height * width, channels])
            sampled = sample_bilinear(texels, 0, tf.stack([width, height]), uv)
            colours += share * sampled
        return tf.concat([colours, attributes], -1)


def _halved(texture: tf.Tensor) -> list[tf.Tensor]:
    """A texture `[height, width, channels]` and its mipmaps."""
    levels = [texture]
    while all(size % 2 == 0 for size in levels[-1].shape[:2]):
        rows = levels[-1][::2] + levels[-1][1::2]
        levels.append((rows[:, ::2] + rows[:, 1::2]) / 4)
    return levels


def _steps(
    corners: tf.Tensor, corner_uv: tf.Tensor, barycentric: tf.Tensor
) -> tf.Tensor:
    """How far steps by one pixel go in the texture `[n, 2, 2]`: right, then down.

    At the place in the picture where the point is seen, it is the derivative of the
    barycentric coordinates: they are edge functions, which are linear, over their sum.
    """
    point = tf.reduce_sum(corners * barycentric[..., None], -2)
    seen = _seen_from((point[:, :2] / point[:, 2:])[:, None], corners)
    ahead, behind = (tf.roll(seen, -step, -2) for step in (1, 2))
    ahead_z, behind_z = (tf.roll(corners[..., 2:], -step, -2) for step in (1, 2))
    edges = ahead[..., 0] * behind[..., 1] - ahead[..., 1] * behind[..., 0]
    total = tf.reduce_sum(edges, -1)[:, None, None]
    slopes = behind_z * ahead - ahead_z * behind
    # Rightwards the y decide, and downwards the x.
    slopes = tf.stack([slopes[..., 1], -slopes[..., 0]], -1)
    shares = slopes - barycentric[..., None] * tf.reduce_sum(slopes, -2, keepdims=True)
    return tf.matmul(shares / total, corner_uv, transpose_a=True)


def _volume(point: tf.Tensor, corners: tf.Tensor) -> tf.Tensor:
    """Spanned by triangles `[n, 3, 3]` and points `[n, 3]`, negative beyond them."""
    a, b, c = (corners[:, k] for k in range(3))
    return tf.reduce_sum((point - a) * tf.linalg.cross(b - a, c - a), -1)


def _facing(corners: tf.Tensor, cull_backfaces: bool) -> tf.Tensor:
    """1 for triangles `[n, 3, 3]` that show their front, -1 back, 0 if not drawn."""
    # The doubled area in the picture times all three depths.
    volume = -_volume(tf.zeros_like(corners[:, 0]), corners)
    smallest = _MIN_DOUBLED_AREA * tf.abs(tf.reduce_prod(corners[..., 2], -1))
    front = tf.cast(volume < -smallest, tf.int32)
    return front if cull_backfaces else front - tf.cast(volume > smallest, tf.int32)


def _seen_from(pixels: tf.Tensor, vertices: tf.Tensor) -> tf.Tensor:
    """Positions `[..., 2]` around pixels `[..., 2]`, times the depth."""
    return vertices[..., :2] - pixels * vertices[..., 2:]


def _barycentric(
    corners: tf.Tensor, pixels: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """What pixels `[..., 2]` see of triangles `[..., 3, 3]`.

    Returns:
      Barycentric coordinates `[..., 3]` and depths `[...]` of the points where the rays
      through the pixels meet the triangles' planes, and whether they lie on the
      triangles, beyond the near depth.
    """
    seen = _seen_from(pixels[..., None, :], corners)
    x, y = seen[..., 0], seen[..., 1]
    # Both triangles at an edge get the same value but for its sign.
    edges = tf.roll(x, -1, -1) * tf.roll(y, -2, -1)
    edges -= tf.roll(y, -1, -1) * tf.roll(x, -2, -1)
    barycentric = edges / tf.reduce_sum(edges, -1, keepdims=True)
    depth = tf.reduce_sum(barycentric * corners[..., 2], -1)
    covered = tf.reduce_all(edges <= 0, -1) | tf.reduce_all(edges >= 0, -1)
    return barycentric, depth, covered & (depth > _NEAR_DEPTH)


def _nearest_triangles(
    corners: tf.Tensor, drawn: tf.Tensor, pixels: tf.Tensor
) -> tf.Tensor:
    """The nearest drawn triangle at each pixel, -1 where there is none: `[n]`."""
    indices = tf.where(drawn)[:, 0]
    count = tf.shape(indices)[0]
    corners = tf.stop_gradient(tf.gather(corners, indices))
    chunk = tf.maximum(1, _MAX_PAIRS // tf.maximum(1, count))
    total = tf.shape(pixels)[0]
    chunks = (total + chunk - 1) // chunk
    infinity = tf.constant(float("inf"), corners.dtype)

    def nearest(index: tf.Tensor) -> tf.Tensor:
        part = pixels[index * chunk : (index + 1) * chunk]
        _, depth, covered = _barycentric(corners[None], part[:, None])
        depth = tf.where(covered, depth, infinity)
        # One column more, so that there is always a smallest.
        depth = tf.pad(depth, [[0, 0], [0, 1]], constant_values=float("inf"))
        best = tf.argmin(depth, -1)
        found = tf.reduce_any(covered, -1)
        padded = tf.pad(indices, [[0, 1]])
        result = tf.where(found, tf.gather(padded, best), -1)
        return tf.pad(result, [[0, chunk - tf.shape(result)[0]]])

    result = tf.map_fn(
        nearest, tf.range(chunks), fn_output_signature=tf.TensorSpec([None], tf.int64)
    )
    return tf.cast(tf.reshape(result, [-1])[:total], tf.int32)


def _silhouettes(
    neighbors: tf.Tensor, facing: tf.Tensor, corners: tf.Tensor
) -> tf.Tensor:
    """The silhouette edges `[n, 2]`: triangle, and the corner opposite to the edge.

    Args:
      neighbors: `[triangles, 3]` int32, -1 for none.
      facing: `[triangles]`, see `_facing`.
      corners: `[triangles, 3, 3]`, and the dummy.
    """
    # Neighbour -1, counted from the end, is the one more that is never drawn.
    count = tf.shape(facing)[0]
    across = tf.where(neighbors < 0, count, neighbors)
    facing_across = tf.gather(tf.concat([facing, [0]], 0), across)
    facing = facing[:, None]
    border = (facing != 0) & (facing_across == 0)
    # At a fold the nearer triangle: it hides the other, which lies beyond its plane as
    # seen from the camera; of two parallel ones it is that which shows its back.
    fold = tf.where(facing * facing_across < 0)
    own = tf.gather(corners, fold[:, 0])
    other = tf.gather(corners, tf.gather_nd(across, fold))
    is_front = tf.gather(facing[:, 0], fold[:, 0]) > 0
    either = is_front[:, None, None]
    front, back = tf.where(either, own, other), tf.where(either, other, own)
    beyond = sum(_volume(back[:, k], front) for k in range(3)) < 0
    owned = tf.boolean_mask(fold, beyond == is_front)
    edges = tf.concat([tf.where(border), owned], 0)
    order = tf.argsort(3 * edges[:, 0] + edges[:, 1])
    return tf.cast(tf.gather(edges, order), tf.int32)


def _clip_edges(
    first: tf.Tensor, second: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Cuts off what of edges with ends `[n, 3]` is nearer than the near depth.

    Returns:
      The ends `[n, 3]` of what is left, and how far they were moved along the edge
      `[n]`, relative to its length. An edge of which nothing is left stays as it is.
    """

    def clip(end: tf.Tensor, other: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        crosses = (end[:, 2] <= _NEAR_DEPTH) & (other[:, 2] > _NEAR_DEPTH)
        direction = other - end
        moved = (_NEAR_DEPTH - end[:, 2]) / tf.where(crosses, direction[:, 2], 1)
        moved = tf.where(crosses, moved, 0)
        cut = end + moved[:, None] * direction
        near = tf.fill(tf.shape(moved), tf.constant(_NEAR_DEPTH, end.dtype))
        cut = tf.concat([cut[:, :2], near[:, None]], -1)
        return tf.where(crosses[:, None], cut, end), moved

    return *clip(first, second), *clip(second, first)


def _nearest_on_edges(
    first: tf.Tensor, second: tf.Tensor, pixels: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Distance, depth and perspective-correct parameter of the nearest edge points."""
    a, b = _seen_from(pixels, first), _seen_from(pixels, second)
    # Along the edge in the picture, times both depths.
    direction = first[..., 2:] * b - second[..., 2:] * a
    past_first = -tf.reduce_sum(a * direction, -1)
    before_second = tf.reduce_sum(b * direction, -1)
    inside = (past_first > 0) & (before_second > 0)
    parameter = tf.where(
        inside,
        past_first / tf.where(inside, past_first + before_second, 1),
        tf.cast(past_first > 0, pixels.dtype),
    )
    depth = (1 - parameter) * first[..., 2] + parameter * second[..., 2]
    offset = (1 - parameter[..., None]) * a + parameter[..., None] * b
    square = tf.reduce_sum(offset * offset, -1)
    # The square root has no derivative at 0.
    away = square > 0
    distance = tf.where(away, tf.sqrt(tf.where(away, square, 1)), 0) / depth
    return distance, depth, parameter


def _composite(
    surface: _Surface,
    silhouettes: tf.Tensor,
    pixels: tf.Tensor,
    hit: tf.Tensor,
    sharp_depth: tf.Tensor,
    sharp_colour: tf.Tensor,
    margin: float,
    depth_push: float,
) -> tf.Tensor:
    """Puts the soft layer before the sharp colours `[n, channels]`."""
    dtype = pixels.dtype
    # One edge of the dummy triangle more, for pixels with fewer fragments than others.
    dummy = tf.stack([tf.shape(surface.corners)[0] - 1, 0])
    edges = tf.concat([silhouettes, dummy[None]], 0)
    owner, opposite = edges[:, 0], edges[:, 1]
    first = tf.gather_nd(surface.corners, tf.stack([owner, (opposite + 1) % 3], -1))
    second = tf.gather_nd(surface.corners, tf.stack([owner, (opposite + 2) % 3], -1))
    first, cut_first, second, cut_second = _clip_edges(first, second)

    # Which edges are within the margin of which pixel.
    distance, depth, _ = _nearest_on_edges(
        tf.stop_gradient(first)[None],
        tf.stop_gradient(second)[None],
        pixels[:, None],
    )
    infinity = tf.constant(float("inf"), dtype)
    surface_depth = tf.stop_gradient(tf.where(hit, sharp_depth, infinity))
    is_real = tf.range(tf.shape(edges)[0]) < tf.shape(silhouettes)[0]
    visible = tf.maximum(first[:, 2], second[:, 2]) > _NEAR_DEPTH
    reaches = is_real & visible & (distance < margin)
    reaches &= depth < surface_depth[:, None]
    most = tf.reduce_max(tf.reduce_sum(tf.cast(reaches, tf.int32), -1))
    # The chosen edges first, in their order.
    order = tf.argsort(tf.cast(~reaches, tf.int32), axis=-1, stable=True)[:, :most]
    present = tf.gather(reaches, order, batch_dims=1)
    chosen = tf.where(present, order, tf.shape(silhouettes)[0])

    distance, depth, parameter = _nearest_on_edges(
        tf.gather(first, chosen), tf.gather(second, chosen), pixels[:, None]
    )
    extent = tf.where(present, distance / margin, 1)
    depth = tf.where(present, depth, 1)
    start, end = tf.gather(cut_first, chosen), 1 - tf.gather(cut_second, chosen)
    parameter = tf.where(present, (1 - parameter) * start + parameter * end, 0)
    opposite = tf.gather(opposite, chosen)[..., None]
    barycentric = tf.where(
        tf.range(3) == (opposite + 1) % 3,
        1 - parameter[..., None],
        tf.where(tf.range(3) == (opposite + 2) % 3, parameter[..., None], 0),
    )
    count = tf.shape(pixels)[0]
    colours = surface.colour(
        tf.reshape(tf.gather(owner, chosen), [-1]), tf.reshape(barycentric, [-1, 3])
    )
    channels = tf.shape(sharp_colour)[-1]
    colours = tf.concat(
        [tf.reshape(colours, [count, most, channels]), sharp_colour[:, None]], 1
    )

    # The sharp layer is a fragment too, of no extent. No surface is far away.
    sharp_depth = tf.where(hit, sharp_depth, 0)[:, None]
    cuts = [
        tf.zeros([count, 1], dtype),
        tf.ones([count, 1], dtype),
        extent,
        _meeting(
            depth,
            depth * extent,
            sharp_depth,
            tf.zeros_like(sharp_depth),
            present & hit[:, None],
            depth_push,
        ),
    ]
    slope = depth * extent
    shape = [count, most * most]
    cuts.append(
        tf.reshape(
            _meeting(
                depth[:, :, None],
                slope[:, :, None],
                depth[:, None],
                slope[:, None],
                present[:, :, None] & present[:, None],
                depth_push,
            ),
            shape,
        )
    )
    cuts = tf.concat(cuts, 1)
    order = tf.argsort(tf.stop_gradient(cuts), axis=-1)
    cuts = tf.gather(cuts, order, batch_dims=1)
    weights = cuts[:, 1:] - cuts[:, :-1]

    # Who is seen between two cuts: the nearest of those present there.
    middle = tf.stop_gradient(cuts[:, 1:] + cuts[:, :-1]) / 2
    middle = tf.where(middle > 0, middle, 1)[..., None]
    pushed = tf.where(
        present[:, None] & (extent[:, None] < middle),
        depth[:, None] + depth_push * slope[:, None] / middle,
        infinity,
    )
    # At equal depth the sharp surface is before the fragments.
    behind = tf.broadcast_to(surface_depth[:, None, None], tf.shape(middle))
    pushed = tf.where(pushed < behind, pushed, infinity)
    seen = tf.concat([pushed, behind], -1)
    seen = tf.where(
        tf.reduce_all(tf.math.is_inf(seen), -1), most, tf.argmin(seen, -1, tf.int32)
    )
    share = tf.one_hot(seen, most + 1, dtype=dtype) * weights[..., None]
    share = tf.reduce_sum(share, 1)[..., None]
    # What is not seen shall not count, whatever its colour.
    return tf.reduce_sum(tf.where(share > 0, share * colours, 0), 1)


def _meeting(
    depth: tf.Tensor,
    slope: tf.Tensor,
    other_depth: tf.Tensor,
    other_slope: tf.Tensor,
    valid: tf.Tensor,
    depth_push: float,
) -> tf.Tensor:
    """The v at which a receding fragment meets another, 0 where it does not."""
    valid = valid & (other_depth > depth) & (other_slope < slope)
    gap = tf.where(valid, other_depth - depth, 1)
    v = depth_push * (slope - other_slope) / gap
    return tf.where(valid & (v < 1), v, 0)
