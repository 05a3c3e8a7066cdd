// The derivative of what a list of fragments holds of one pixel.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_FRAGMENT_LIST_GRADIENT_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_FRAGMENT_LIST_GRADIENT_H_

#include <cstdint>

#include "core/geometry.h"
#include "core/differentiate_layers.h"
#include "core/scene.h"

namespace unsup3d {

// A part of the list of fragments and the derivative with respect to it.
template <typename T>
struct FragmentGradients {
  const int64_t* pixels;  // row * width + column + first_pixel
  int64_t first_pixel, count;
  const T *barycentric, *depth, *weight;  // [count, 3], [count], [count]

  // Where those from `begin` on end that are of a pixel, row * width + column.
  UNSUP3D_HOST_DEVICE int64_t EndOf(int64_t pixel, int64_t begin) const {
    int64_t end = begin;
    while (end < count && pixels[end] == first_pixel + pixel) ++end;
    return end;
  }
};

// A function of the fragments of a pixel, see DifferentiateLayers: those from `next`
// on, and up to `end`. `sink` is that of AddVertexGradient.
template <typename T, typename Sink>
struct PixelFragments {
  const FragmentGradients<T>& gradients;
  int64_t next, end;
  Sink& sink;

  // A layer that is not listed, since its weight is 0, takes its turn with the one
  // after it. The background comes last and is worth nothing.
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
