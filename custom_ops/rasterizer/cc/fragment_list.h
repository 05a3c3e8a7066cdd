// The layers of a picture before they are coloured, as a list, and its derivative.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_FRAGMENT_LIST_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_FRAGMENT_LIST_H_

#include <cstdint>
#include <vector>

#include "fragments.h"
#include "geometry.h"
#include "layer_point.h"
#include "mesh.h"
#include "pixel_gradient.h"
#include "scene.h"
#include "sharp_layer.h"
#include "soft_layer.h"

namespace unsup3d {

// A layer of a positive weight that shows the surface.
struct ListedFragment {
  int64_t pixel;  // row * width + column
  LayerPoint point;
  Real weight;
};

// Lists the fragments of the rows begin .. end by ascending pixel and, within a pixel,
// in the order of its layers. Draws `ids` and `depths`, see DrawSharp.
template <typename T>
std::vector<ListedFragment> ListBand(const Surface<T>& surface, const Mesh<T>& mesh,
                                     const Options& options, int begin, int end,
                                     int* ids, Real* depths) {
  std::vector<ListedFragment> list;
  DrawSharp(mesh, begin, end, surface.width, ids, depths);
  VisitPixels(mesh, options, begin, end, surface.width, ids, depths, [&](
      int64_t i, const Place& place, const Pixel<Real>& pixel) {
    for (Layer<Real> layer = pixel.FirstLayer();; layer = pixel.NextLayer(layer)) {
      if (layer.Weight() > 0) {
        const LayerPoint point =
            FindLayerPoint(mesh.view(), pixel, layer.fragment, place);
        if (point.triangle >= 0) list.push_back({i, point, layer.Weight()});
      }
      if (layer.fragment == kSharp) break;
    }
  });
  return list;
}

// A part of the list of fragments and the derivative with respect to it.
template <typename T>
struct FragmentGradients {
  const int64_t* pixels;  // row * width + column + first_pixel
  int64_t first_pixel, count;
  const T *barycentric, *depth, *weight;  // [count, 3], [count], [count]
};

// A function of the fragments of a pixel, see DifferentiateLayers: those from `next`
// on, and up to `end`.
template <typename T>
struct PixelFragments {
  const FragmentGradients<T>& gradients;
  int64_t next, end;
  Vertex<Real>* vertex_gradients;

  // A layer that is not listed, since its weight is 0, takes its turn with the one
  // after it. The background comes last and is worth nothing.
  Real Worth(int) const { return next < end ? Real(gradients.weight[next]) : Real(0); }

  void AddPoint(int, const Real[3], Real, Real barycentric_gradient[3],
                Real* depth_gradient) {
    if (next < end) {
      for (int k = 0; k < 3; ++k) {
        barycentric_gradient[k] += gradients.barycentric[3 * next + k];
      }
      *depth_gradient += gradients.depth[next];
    }
    ++next;
  }

  void AddBackground(Real) {}

  void AddVertex(int64_t vertex, const Vertex<Real>& gradient) {
    AddScaled(&vertex_gradients[vertex], Real(1), gradient);
  }
};

// Which input of the derivative does not belong to the others at a pixel.
struct Mismatch {
  int64_t pixel = -1;  // none
  bool in_ids = false;
};

// Differentiates the list of the rows begin .. end, adding to `vertex_gradients`.
// `ids` are those of ListBand, `gradients` holds what it listed; `depths` is scratch.
template <typename T>
Mismatch DifferentiateList(const Surface<T>& surface, const Mesh<T>& mesh,
                           const Options& options, int begin, int end,
                           const FragmentGradients<T>& gradients, const int* ids,
                           Real* depths, Vertex<Real>* vertex_gradients) {
  const int64_t wrong = FindDepths(surface, mesh, begin, end, ids, depths);
  if (wrong >= 0) return {wrong, true};
  Mismatch mismatch;
  std::vector<FragmentGradient> scratch;
  int64_t next = 0;
  VisitPixels(mesh, options, begin, end, surface.width, ids, depths, [&](
      int64_t i, const Place& place, const Pixel<Real>& pixel) {
    PixelFragments<T> fragments = {gradients, next, next, vertex_gradients};
    while (fragments.end < gradients.count &&
           gradients.pixels[fragments.end] - gradients.first_pixel == i) {
      ++fragments.end;
    }
    if (pixel.count > 0 || place.sharp_triangle != kSharp) {
      scratch.resize(pixel.count);
      DifferentiateLayers(mesh.view(), Real(options.margin), pixel, place,
                          scratch.data(), fragments);
    }
    if (fragments.next != fragments.end && mismatch.pixel < 0) mismatch.pixel = i;
    next = fragments.end;
  });
  return mismatch;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_FRAGMENT_LIST_H_
