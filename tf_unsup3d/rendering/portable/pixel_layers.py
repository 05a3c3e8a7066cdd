"""The layers of a pixel: how its soft fragments and the sharp surface share it.

Over v from 1 down to 0, a pixel shows the lower envelope of the depths of its soft
fragments and the sharp surface; see "The soft layer" in docs/rendering.md. All pixels
walk along their envelopes at once, one layer in each round.
"""

import tensorflow as tf

from tf_unsup3d.rendering.portable.candidates import segment_first

_SHARP = -1


def find_layers(
    pixels: tf.Tensor,
    extent: tf.Tensor,
    depth: tf.Tensor,
    sharp_depth: tf.Tensor,
    depth_push: float,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds what pixels show from v = 1 down to 0.

    Args:
      pixels: `[n]` int32, the pixel of each soft fragment, below `m`. Each pixel has
        a fragment that the sharp surface does not hide.
      extent: `[n]`, the distance of each fragment as a part of the margin.
      depth: `[n]`, the depth of each fragment.
      sharp_depth: `[m]`, the depth of the sharp surface at each pixel, or the largest
        float64 where there is none.
      depth_push: Part of its depth by which a fragment recedes over the margin.

    Returns:
      shown: `[rounds + 1, m]` int32, the fragment that is shown in each layer, or -1
        for the sharp surface, which fills the last rows.
      overtaken: `[rounds, m]`, whether the layer ends because the next one becomes
        nearer, and not because its fragment ends.
    """
    count = tf.size(sharp_depth)
    slope = depth * extent
    # The minimum of nothing, too.
    farthest = tf.constant(depth.dtype.max, depth.dtype)

    def nearest(v: tf.Tensor) -> tf.Tensor:
        own = tf.gather(v, pixels)
        pushed = tf.where(extent < own, depth + depth_push * slope / own, farthest)
        best = tf.math.unsorted_segment_min(pushed, pixels, count)
        first = segment_first(pushed, best, pixels, count)
        return tf.where(best < sharp_depth, first, _SHARP)

    def next_layer(
        shown: tf.Tensor, overtaken: tf.Tensor, upper: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        soft = shown[-1] != _SHARP
        index = tf.maximum(shown[-1], 0)
        own_depth, own_slope, end = (
            tf.gather(values, index) for values in (depth, slope, extent)
        )
        # Where the others become nearer.
        sharp = tf.minimum(depth_push * own_slope / (sharp_depth - own_depth), upper)
        sharp = tf.where((sharp_depth > own_depth) & (own_slope > 0.0), sharp, -1.0)
        that_depth, that_slope, that_upper = (
            tf.gather(values, pixels) for values in (own_depth, own_slope, upper)
        )
        meeting = depth_push * (that_slope - slope) / (depth - that_depth)
        meeting = tf.minimum(meeting, that_upper)
        overtakes = (depth > that_depth) & (slope < that_slope) & (extent < meeting)
        meeting = tf.where(overtakes, meeting, -1.0)
        best = tf.math.unsorted_segment_max(meeting, pixels, count)
        by_other = tf.maximum(best, sharp) > end
        lower = tf.where(by_other, tf.maximum(best, sharp), end)
        following = tf.where(
            by_other,
            tf.where(
                sharp >= best, _SHARP, segment_first(meeting, best, pixels, count)
            ),
            nearest(lower),
        )
        following = tf.where(soft, following, _SHARP)
        return (
            tf.concat([shown, following[None]], 0),
            tf.concat([overtaken, by_other[None]], 0),
            tf.where(soft, lower, upper),
        )

    top = tf.ones_like(sharp_depth)
    shown, overtaken, _ = tf.while_loop(
        lambda shown, *_: tf.reduce_any(shown[-1] != _SHARP),
        next_layer,
        (nearest(top)[None], tf.zeros([0, count], tf.bool), top),
        shape_invariants=(
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.bool),
            tf.TensorSpec([None], depth.dtype),
        ),
    )
    return shown, overtaken


def layer_weights(
    shown: tf.Tensor,
    overtaken: tf.Tensor,
    extent: tf.Tensor,
    depth: tf.Tensor,
    sharp_depth: tf.Tensor,
    depth_push: float,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes how much of their pixel the layers fill; differentiable.

    Args:
      shown: See `find_layers`.
      overtaken: See `find_layers`.
      extent: `[n]`, of the fragments.
      depth: `[n]`, of the fragments.
      sharp_depth: `[m]`, the depth of the sharp surface; any number where there is
        none.
      depth_push: See `find_layers`.

    Returns:
      soft: `[rounds, m]`, the weights of the layers; 0 for those of the sharp surface.
      sharp: `[m]`, the weight of the sharp surface.
    """
    # The sharp surface is a fragment of no extent, too.
    count = tf.size(extent)
    extent = tf.concat([extent, tf.zeros_like(sharp_depth)], 0)
    depth = tf.concat([depth, sharp_depth], 0)
    sharp_index = count + tf.range(tf.size(sharp_depth))
    index = tf.where(shown == _SHARP, sharp_index, shown)
    own, following = index[:-1], index[1:]
    slope = depth * extent
    run = tf.gather(depth, following) - tf.gather(depth, own)
    meeting = depth_push * (tf.gather(slope, own) - tf.gather(slope, following))
    soft = shown[:-1] != _SHARP
    overtaken &= soft
    meeting = tf.where(overtaken, meeting / tf.where(overtaken, run, 1.0), 0.0)
    lower = tf.where(overtaken, meeting, tf.gather(extent, own))
    upper = tf.concat([tf.ones_like(lower[:1]), lower[:-1]], 0)
    last = soft & (shown[1:] == _SHARP)
    sharp = tf.reduce_sum(tf.where(last, lower, 0.0), 0)
    return tf.where(soft, upper - lower, 0.0), sharp
