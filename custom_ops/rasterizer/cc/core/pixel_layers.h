// How the soft fragments and the sharp surface of one pixel share it.
//
// A silhouette edge owns a soft fragment at every pixel centre nearer to it than the
// margin m. With d its distance and z the depth of the nearest point of the edge, let
// e = d / m be its extent. The pixel is the mean over all 0 < v < 1 of the hard
// pictures in which silhouettes are extended by the margin v m: there the fragment is
// present if e < v, and lies at the depth z (1 + push e / v), pushed back from z at
// the edge to z (1 + push) at the end of the extension, so that it does not cover a
// surface which it merely continues. The nearest of the present fragments and the
// sharp surface (none: the background) takes the pixel.
//
// So a single fragment before a surface at depth z_s has the opacity
//   1 - e max(1, push z / (z_s - z)),
// and several ones neither count twice where edges of one contour meet, nor change
// place abruptly: since depths are compared at each v alone, the pixel is a
// continuous function of all extents and depths as long as push > 0, also when the
// sharp surface passes from one side of the pixel centre to the other.
//
// From v = 1 down to 0 the pixel is thus cut into layers, a walk along the lower
// envelope of at most 2 n + 1 pieces.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PIXEL_LAYERS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PIXEL_LAYERS_H_

#include "core/geometry.h"

namespace unsup3d {

template <typename Real>
struct Fragment {
  int pixel;
  int edge;  // 3 * triangle + the corner opposite to the edge
  Real extent;
  Real depth;
  Real parameter;  // of the nearest point: 0 at the edge's first end, 1 at its second
};

// Finds what an edge owns at the pixel centre (px, py), its pixel and edge aside.
// Returns whether that is a fragment which the sharp surface does not hide.
template <typename Real>
UNSUP3D_HOST_DEVICE inline bool FindFragment(const EdgePart<Real>& part, Real px,
                                             Real py, Real margin, Real push,
                                             Real sharp_depth,
                                             Fragment<Real>* fragment) {
  const EdgePoint<Real> point = NearestOnEdge(part, px, py);
  fragment->extent = point.distance / margin;
  fragment->depth = point.depth;
  fragment->parameter = point.parameter;
  // What is hidden where it reaches furthest forward is hidden everywhere.
  return point.distance < margin &&
         point.depth * (1 + push * fragment->extent) < sharp_depth;
}

// Where a fragment lies on the triangle that owns its edge.
template <typename Real>
UNSUP3D_HOST_DEVICE inline void FragmentBarycentric(const Fragment<Real>& fragment,
                                                    Real barycentric[3]) {
  const int opposite = fragment.edge % 3;
  barycentric[opposite] = 0;
  barycentric[(opposite + 1) % 3] = 1 - fragment.parameter;
  barycentric[(opposite + 2) % 3] = fragment.parameter;
}

// The index that stands for the sharp surface, or the background where there is none.
constexpr int kSharp = -1;

// One layer of a pixel: what is seen for lower < v < upper.
template <typename Real>
struct Layer {
  int fragment;  // or kSharp, which is always the last layer
  Real upper, lower;
  int next;
  bool overtaken;  // `next` comes to the front at `lower`; else the fragment ends

  UNSUP3D_HOST_DEVICE inline Real Weight() const { return upper - lower; }
};

// All fragments of a pixel, by ascending edge index. `sharp_depth` is infinite where
// there is no sharp surface.
template <typename Real>
struct Pixel {
  const Fragment<Real>* fragments;
  int count;
  Real sharp_depth;
  Real push;

  UNSUP3D_HOST_DEVICE inline Real PushedDepth(int index, Real v) const {
    const Fragment<Real>& fragment = fragments[index];
    return fragment.depth * (1 + push * fragment.extent / v);
  }

  // What is seen at v > 0.
  UNSUP3D_HOST_DEVICE inline int Nearest(Real v) const {
    int nearest = kSharp;
    Real depth = sharp_depth;
    for (int i = 0; i < count; ++i) {
      if (!(fragments[i].extent < v)) continue;
      const Real pushed = PushedDepth(i, v);
      if (pushed < depth) {
        nearest = i;
        depth = pushed;
      }
    }
    return nearest;
  }

  UNSUP3D_HOST_DEVICE inline Real Depth(int index) const {
    return index == kSharp ? sharp_depth : fragments[index].depth;
  }

  // Depth times extent: how fast the pushed depth grows with 1 / v.
  UNSUP3D_HOST_DEVICE inline Real Slope(int index) const {
    return index == kSharp ? Real(0)
                           : fragments[index].depth * fragments[index].extent;
  }

  UNSUP3D_HOST_DEVICE inline Layer<Real> MakeLayer(int fragment,
                                                   Real upper) const {
    Layer<Real> layer = {fragment, upper, Real(0), kSharp, false};
    if (fragment == kSharp) return layer;
    layer.lower = fragments[fragment].extent;
    const Real depth = Depth(fragment);
    const Real slope = Slope(fragment);
    for (int j = kSharp; j < count; ++j) {
      if (!(Depth(j) > depth && Slope(j) < slope)) continue;
      Real v = push * (slope - Slope(j)) / (Depth(j) - depth);
      if (v > upper) v = upper;
      if (!(v > layer.lower)) continue;
      if (j != kSharp && !(fragments[j].extent < v)) continue;
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

  // Passes the derivative with respect to the lower end of a layer on to
  // `add_extent(index, gradient)` and `add_depth(index, gradient)`.
  template <typename AddExtent, typename AddDepth>
  UNSUP3D_HOST_DEVICE inline void LowerEndGradient(const Layer<Real>& layer,
                                                   Real gradient,
                                                   AddExtent add_extent,
                                                   AddDepth add_depth) const {
    const int i = layer.fragment;
    const int j = layer.next;
    if (!layer.overtaken) {
      add_extent(i, gradient);
      return;
    }
    const Real g = gradient / (Depth(j) - Depth(i));
    add_extent(i, g * push * fragments[i].depth);
    add_depth(i, g * (push * fragments[i].extent + layer.lower));
    if (j == kSharp) {
      add_depth(j, -g * layer.lower);
    } else {
      add_extent(j, -g * push * fragments[j].depth);
      add_depth(j, -g * (push * fragments[j].extent + layer.lower));
    }
  }
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PIXEL_LAYERS_H_
