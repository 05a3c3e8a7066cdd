// The derivative of the part of a fragment list that belongs to one pixel.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_FRAGMENT_LIST_GRADIENT_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_FRAGMENT_LIST_GRADIENT_H_

#include <cstdint>

#include "core/differentiate_layers.h"
#include "core/geometry.h"
#include "core/picture_inputs.h"

namespace unsup3d {

// The pixels of a part of the fragment list, and the derivative with respect to that
// part.
template <typename T>
struct FragmentListGradient {
  const int64_t* pixels;  // row * width + column + first_pixel
  int64_t first_pixel, count;
  const T *barycentric, *depth, *weight;  // [count, 3], [count], [count]

  // The end of the run of fragments that starts at `begin` and belongs to a pixel,
  // given as row * width + column.
  UNSUP3D_HOST_DEVICE int64_t EndOf(int64_t pixel, int64_t begin) const {
    int64_t end = begin;
    while (end < count && pixels[end] == first_pixel + pixel) ++end;
    return end;
  }
};

// The fragments of a pixel, those from `next` up to `end` in the list, as a function of
// its layers, see DifferentiateLayers. `sink` is passed to AddVertexGradient.
template <typename T, typename Sink>
struct PixelFragments {
  const FragmentListGradient<T>& gradients;
  int64_t next, end;
  Sink& sink;

  // A layer of weight 0 is not listed: the value is that of the next layer that is. The
  // background comes last and contributes nothing.
  UNSUP3D_HOST_DEVICE Real Worth(int) const {
    return next < end ? Real(gradients.weight[next]) : Real(0);
  }

  UNSUP3D_HOST_DEVICE void AddPoint(int, const Real[3], Real,
                                    Real barycentric_gradient[3],
                                    Real* depth_gradient) {
    if (next < end) {
      for (int k = 0; k < 3; ++k) {
        barycentric_gradient[k] += gradients.barycentric[3 * next + k];
      }
      *depth_gradient += gradients.depth[next];
    }
    ++next;
  }

  UNSUP3D_HOST_DEVICE void AddBackground(Real) {}

  UNSUP3D_HOST_DEVICE void AddVertex(int64_t vertex, const Vertex<Real>& gradient) {
    AddVertexGradient(vertex, gradient, sink);
  }
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_FRAGMENT_LIST_GRADIENT_H_
