// The layers of one pixel: how the soft fragments and the sharp surface share it.
//
// A silhouette edge owns a soft fragment at every pixel centre that is nearer to it
// than the margin m. Let d be the distance of the pixel centre, z the depth of the
// nearest point on the edge, and e = d / m the fragment's extent. The pixel is the
// mean, over all 0 < v < 1, of the hard pictures in which every silhouette is extended
// by v m. In such a picture the fragment is present if e < v, at the depth
//   z (1 + push e / v).
// It recedes from z at the edge to z (1 + push) at the end of the extension, so that it
// does not cover a surface that it merely continues. The pixel shows whichever is
// nearest, one of the soft fragments that are present or the sharp surface, or else the
// background.
//
// A single soft fragment in front of a surface at depth z_s therefore has the opacity
//   1 - e max(1, push z / (z_s - z)).
// Several of them do not count twice where two edges of one contour meet, nor do they
// change their order abruptly: since depths are compared at each v separately, the
// pixel is a continuous function of all extents and depths as long as push > 0, even
// when the sharp surface moves from one side of the pixel centre to the other.
//
// The layers divide the range from v = 1 down to v = 0. They are found by walking along
// the lower envelope of the depths, which has at most 2 n + 1 pieces for n soft
// fragments.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PIXEL_LAYERS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PIXEL_LAYERS_H_

#include "core/geometry.h"

namespace unsup3d {

// The point of a silhouette edge that is nearest to a pixel centre within the margin.
template <typename Real>
struct SoftFragment {
  int pixel;
  int edge;     // 3 * triangle + the corner opposite to the edge
  Real extent;  // distance from the pixel centre, divided by the margin
  Real depth;
  Real parameter;  // position on the edge: 0 at its first end, 1 at its second
};

// Finds the soft fragment of an edge at the pixel centre (px, py), except for the
// indices of its pixel and edge. Returns whether there is one that the sharp surface
// does not hide.
template <typename Real>
UNSUP3D_HOST_DEVICE inline bool FindSoftFragment(const EdgePart<Real>& part, Real px,
                                                 Real py, Real margin, Real push,
                                                 Real sharp_depth,
                                                 SoftFragment<Real>* fragment) {
  const EdgePoint<Real> point = NearestOnEdge(part, px, py);
  fragment->extent = point.distance / margin;
  fragment->depth = point.depth;
  fragment->parameter = point.parameter;
  // The fragment is nearest at v = 1. If it is hidden there, it is hidden at every v.
  return point.distance < margin &&
         point.depth * (1 + push * fragment->extent) < sharp_depth;
}

// The barycentric coordinates of a soft fragment on the triangle that owns its edge.
template <typename Real>
UNSUP3D_HOST_DEVICE inline void SoftFragmentBarycentric(
    const SoftFragment<Real>& fragment, Real barycentric[3]) {
  const int opposite = fragment.edge % 3;
  barycentric[opposite] = 0;
  barycentric[(opposite + 1) % 3] = 1 - fragment.parameter;
  barycentric[(opposite + 2) % 3] = fragment.parameter;
}

// The index that stands for the sharp surface, or for the background without one.
constexpr int kSharp = -1;

// Smaller differences between the depths of edges, as parts of them, are those of
// rounding: the edges lie at the same place. To divide by them would give gradients of
// any size.
constexpr double kSmallestStep = 1e-12;

// One layer of a pixel: what is visible for lower < v < upper.
template <typename Real>
struct Layer {
  int fragment;  // index of a soft fragment, or kSharp, which is always the last layer
  Real upper, lower;
  int next;        // the `fragment` of the layer below
  bool overtaken;  // whether the layer ends at `lower` because `next` becomes nearer
                   // there, and not because its own fragment is no longer present

  UNSUP3D_HOST_DEVICE inline Real Weight() const { return upper - lower; }
};

// What determines the layers of a pixel: its soft fragments by ascending edge index,
// and the depth of the sharp surface, which is infinite where there is none.
template <typename Real>
struct PixelLayers {
  const SoftFragment<Real>* soft_fragments;
  int count;
  Real sharp_depth;
  Real push;

  // The depth of a soft fragment in the hard picture at v.
  UNSUP3D_HOST_DEVICE inline Real PushedDepth(int index, Real v) const {
    const SoftFragment<Real>& fragment = soft_fragments[index];
    return fragment.depth * (1 + push * fragment.extent / v);
  }

  // What is visible in the hard picture at v > 0.
  UNSUP3D_HOST_DEVICE inline int Nearest(Real v) const {
    int nearest = kSharp;
    Real depth = sharp_depth;
    for (int i = 0; i < count; ++i) {
      if (!(soft_fragments[i].extent < v)) continue;
      const Real pushed = PushedDepth(i, v);
      if (pushed < depth) {
        nearest = i;
        depth = pushed;
      }
    }
    return nearest;
  }

  UNSUP3D_HOST_DEVICE inline Real Depth(int index) const {
    return index == kSharp ? sharp_depth : soft_fragments[index].depth;
  }

  // Depth times extent: the slope of the pushed depth over push / v.
  UNSUP3D_HOST_DEVICE inline Real Slope(int index) const {
    return index == kSharp ? Real(0)
                           : soft_fragments[index].depth * soft_fragments[index].extent;
  }

  // The layer that begins at `upper` and shows `fragment`.
  UNSUP3D_HOST_DEVICE inline Layer<Real> MakeLayer(int fragment, Real upper) const {
    Layer<Real> layer = {fragment, upper, Real(0), kSharp, false};
    if (fragment == kSharp) return layer;
    layer.lower = soft_fragments[fragment].extent;
    const Real depth = Depth(fragment);
    const Real slope = Slope(fragment);
    for (int j = kSharp; j < count; ++j) {
      if (!(Depth(j) > depth && Slope(j) < slope)) continue;
      if (j != kSharp && !(Depth(j) - depth > Real(kSmallestStep) * depth)) continue;
      Real v = push * (slope - Slope(j)) / (Depth(j) - depth);
      if (v > upper) v = upper;
      if (!(v > layer.lower)) continue;
      if (j != kSharp && !(soft_fragments[j].extent < v)) continue;
      layer.lower = v;
      layer.next = j;
      layer.overtaken = true;
    }
    if (!layer.overtaken && layer.lower > 0) layer.next = Nearest(layer.lower);
    return layer;
  }

  UNSUP3D_HOST_DEVICE inline Layer<Real> FirstLayer() const {
    return MakeLayer(Nearest(Real(1)), Real(1));
  }

  UNSUP3D_HOST_DEVICE inline Layer<Real> NextLayer(const Layer<Real>& layer) const {
    return MakeLayer(layer.next, layer.lower);
  }

  // Propagates the derivative with respect to the lower end of a layer to
  // `add_extent(index, gradient)` and `add_depth(index, gradient)`.
  template <typename AddExtent, typename AddDepth>
  UNSUP3D_HOST_DEVICE inline void LowerEndGradient(const Layer<Real>& layer,
                                                   Real gradient, AddExtent add_extent,
                                                   AddDepth add_depth) const {
    const int i = layer.fragment;
    const int j = layer.next;
    if (!layer.overtaken) {
      add_extent(i, gradient);
      return;
    }
    const Real g = gradient / (Depth(j) - Depth(i));
    add_extent(i, g * push * soft_fragments[i].depth);
    add_depth(i, g * (push * soft_fragments[i].extent + layer.lower));
    if (j == kSharp) {
      add_depth(j, -g * layer.lower);
    } else {
      add_extent(j, -g * push * soft_fragments[j].depth);
      add_depth(j, -g * (push * soft_fragments[j].extent + layer.lower));
    }
  }
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PIXEL_LAYERS_H_
