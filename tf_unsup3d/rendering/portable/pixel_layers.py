"""The layers of a pixel: how its soft fragments and the sharp surface share it.

Over v from 1 down to 0, a pixel shows the lower envelope of the depths of its soft
fragments and the sharp surface; see "The soft layer" in docs/rendering.md. All pixels
walk along their envelopes at once, one layer in each round, until the sharp surface
fills the rest. What is kept of them is a flat list, so that a pixel with many layers
costs the others nothing.
"""

from typing import NamedTuple

import tensorflow as tf

from tf_unsup3d.rendering.portable.candidates import segment_first

_SHARP = -1
# Smaller differences of depths, as parts of them, are those of rounding; the constant
# is that of the op.
_SMALLEST_STEP = 1e-12


class Layers(NamedTuple):
    """The layers of all pixels but those of the sharp surface, round by round.

    Attributes:
      shown: `[k]` int32, the fragment that is shown.
      following: `[k]` int32, the fragment that is shown next, or -1 for the sharp
        surface.
      before: `[k]` int32, index of the layer before in the same pixel, or -1.
      overtaken: `[k]`, whether the layer ends because the next one becomes nearer, and
        not because its fragment ends.
      lower: `[k]`, the v at which the layer ends.
    """

    shown: tf.Tensor
    following: tf.Tensor
    before: tf.Tensor
    overtaken: tf.Tensor
    lower: tf.Tensor


class _Walk(NamedTuple):
    """The pixels that have not come to the sharp surface.

    Attributes:
      shown: `[m]` int32, the fragment that is shown.
      before: `[m]` int32, index of the layer before, or -1.
      upper: `[m]`, the v at which the layer begins.
      sharp_depth: `[m]`, the depth of the sharp surface.
      fragments: `[n]` int32, the fragments that may be shown now or later.
      pixels: `[n]` int32, the pixel of each.
    """

    shown: tf.Tensor
    before: tf.Tensor
    upper: tf.Tensor
    sharp_depth: tf.Tensor
    fragments: tf.Tensor
    pixels: tf.Tensor

    def unfinished(self, extent: tf.Tensor) -> "_Walk":
        """Leaves out pixels that show the sharp surface, and fragments that end.

        Args:
          extent: The distances of all fragments; see `find_layers`.

        Returns:
          What is left.
        """
        goes_on = self.shown != _SHARP
        number = tf.cumsum(tf.cast(goes_on, tf.int32)) - 1
        may_come = tf.gather(extent, self.fragments) < tf.gather(
            self.upper, self.pixels
        )
        may_come &= tf.gather(goes_on, self.pixels)
        shown, before, upper, sharp_depth = (
            tf.boolean_mask(values, goes_on)
            for values in (self.shown, self.before, self.upper, self.sharp_depth)
        )
        pixels = tf.boolean_mask(self.pixels, may_come)
        fragments = tf.boolean_mask(self.fragments, may_come)
        pixels = tf.gather(number, pixels)
        return _Walk(shown, before, upper, sharp_depth, fragments, pixels)


def find_layers(
    pixels: tf.Tensor,
    extent: tf.Tensor,
    depth: tf.Tensor,
    sharp_depth: tf.Tensor,
    depth_push: float,
) -> Layers:
    """Finds what pixels show from v = 1 down to 0.

    Args:
      pixels: `[n]` int32, the pixel of each soft fragment, below `m`. Each pixel has
        a fragment.
      extent: `[n]`, the distance of each fragment as a part of the margin, below 1.
      depth: `[n]`, the depth of each fragment.
      sharp_depth: `[m]`, the depth of the sharp surface at each pixel, or the largest
        float64 where there is none.
      depth_push: Part of its depth by which a fragment recedes over the margin.

    Returns:
      The layers.
    """
    slope = depth * extent
    # The minimum of nothing, too.
    farthest = tf.constant(depth.dtype.max, depth.dtype)

    def nearest(walk: _Walk, v: tf.Tensor) -> tf.Tensor:
        own = tf.gather(v, walk.pixels)
        own_extent, own_depth, own_slope = (
            tf.gather(values, walk.fragments) for values in (extent, depth, slope)
        )
        pushed = own_depth + depth_push * own_slope / own
        pushed = tf.where(own_extent < own, pushed, farthest)
        best = tf.math.unsorted_segment_min(pushed, walk.pixels, tf.size(v))
        first = segment_first(pushed, best, walk.pixels, tf.size(v))
        return tf.where(
            best < walk.sharp_depth, tf.gather(walk.fragments, first), _SHARP
        )

    def next_layer(layers: Layers, walk: _Walk) -> tuple[Layers, _Walk]:
        own_depth, own_slope, end = (
            tf.gather(values, walk.shown) for values in (depth, slope, extent)
        )
        # Where the others become nearer.
        behind = walk.sharp_depth - own_depth
        sharp = tf.minimum(depth_push * own_slope / behind, walk.upper)
        sharp = tf.where((behind > 0.0) & (own_slope > 0.0), sharp, -1.0)
        that_depth, that_slope, that_upper = (
            tf.gather(values, walk.pixels)
            for values in (own_depth, own_slope, walk.upper)
        )
        other_extent, other_depth, other_slope = (
            tf.gather(values, walk.fragments) for values in (extent, depth, slope)
        )
        meeting = depth_push * (that_slope - other_slope) / (other_depth - that_depth)
        meeting = tf.minimum(meeting, that_upper)
        # Edges at the same place differ by rounding alone.
        differ = other_depth - that_depth > _SMALLEST_STEP * that_depth
        overtakes = differ & (other_slope < that_slope)
        meeting = tf.where(overtakes & (other_extent < meeting), meeting, -1.0)
        count = tf.size(walk.shown)
        best = tf.math.unsorted_segment_max(meeting, walk.pixels, count)
        first = segment_first(meeting, best, walk.pixels, count)
        overtaken = tf.maximum(best, sharp) > end
        lower = tf.where(overtaken, tf.maximum(best, sharp), end)
        following = tf.where(
            overtaken,
            tf.where(sharp >= best, _SHARP, tf.gather(walk.fragments, first)),
            nearest(walk, lower),
        )
        new = Layers(walk.shown, following, walk.before, overtaken, lower)
        before = tf.size(layers.shown) + tf.range(count)
        walk = walk._replace(shown=following, before=before, upper=lower)
        return (
            Layers(*(tf.concat(pair, 0) for pair in zip(layers, new, strict=True))),
            walk.unfinished(extent),
        )

    top = tf.ones_like(sharp_depth)
    none = tf.zeros([0], tf.int32)
    walk = _Walk(none, none, top, sharp_depth, tf.range(tf.size(pixels)), pixels)
    walk = walk._replace(shown=nearest(walk, top), before=tf.fill(tf.shape(top), -1))
    whole, real = tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], depth.dtype)
    empty = Layers(none, none, none, tf.zeros([0], tf.bool), tf.zeros([0], depth.dtype))
    layers, _ = tf.while_loop(
        lambda _, walk: tf.size(walk.shown) > 0,
        next_layer,
        (empty, walk.unfinished(extent)),
        shape_invariants=(
            Layers(whole, whole, whole, tf.TensorSpec([None], tf.bool), real),
            _Walk(whole, whole, real, real, whole, whole),
        ),
    )
    return layers


def layer_weights(
    layers: Layers,
    pixels: tf.Tensor,
    extent: tf.Tensor,
    depth: tf.Tensor,
    sharp_depth: tf.Tensor,
    depth_push: float,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes how much of their pixel the layers fill; differentiable.

    Args:
      layers: See `find_layers`.
      pixels: `[n]` int32, of the fragments; see `find_layers`.
      extent: `[n]`, of the fragments.
      depth: `[n]`, of the fragments.
      sharp_depth: `[m]`, the depth of the sharp surface; any number where there is
        none.
      depth_push: See `find_layers`.

    Returns:
      soft: `[k]`, the weights of the layers.
      sharp: `[m]`, the weight of the sharp surface.
    """
    own = layers.shown
    pixel = tf.gather(pixels, own)
    # The sharp surface is a fragment of no extent, too.
    is_last = layers.following == _SHARP
    following = tf.where(is_last, tf.size(extent) + pixel, layers.following)
    extent = tf.concat([extent, tf.zeros_like(sharp_depth)], 0)
    depth = tf.concat([depth, sharp_depth], 0)
    slope = depth * extent
    run = tf.gather(depth, following) - tf.gather(depth, own)
    meeting = depth_push * (tf.gather(slope, own) - tf.gather(slope, following))
    overtaken = layers.overtaken
    meeting = meeting / tf.where(overtaken, run, 1.0)
    lower = tf.where(overtaken, meeting, tf.gather(extent, own))
    # The value is that of the walk, which ends no layer above its beginning.
    lower = layers.lower + (lower - tf.stop_gradient(lower))
    upper = tf.gather(lower, tf.maximum(layers.before, 0))
    upper = tf.where(layers.before >= 0, upper, 1.0)
    last = tf.where(is_last)
    sharp = tf.tensor_scatter_nd_update(
        tf.ones_like(sharp_depth),
        tf.gather_nd(pixel, last)[:, None],
        tf.gather_nd(lower, last),
    )
    return upper - lower, sharp
