// The list of fragments of a picture: its layers before they are coloured. And the
// derivative of that list.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_FRAGMENT_LIST_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_FRAGMENT_LIST_H_

#include <cstdint>
#include <vector>

#include "core/differentiate_layers.h"
#include "core/fragment_list_gradient.h"
#include "core/geometry.h"
#include "core/layer_point.h"
#include "core/mesh.h"
#include "core/picture_inputs.h"
#include "core/pixel_layers.h"
#include "core/sharp_layer.h"
#include "core/soft_layer.h"
#include "core/sparse_sums.h"

namespace unsup3d {

// A point of the surface, sharp or soft, with the share of a pixel that shows it: a
// layer of positive weight.
struct Fragment {
  int64_t pixel;  // row * width + column
  LayerPoint point;
  Real weight;
};

// Lists the fragments of a band by ascending pixel and, within a pixel, in the order of
// its layers. Also draws the band of `ids`, see DrawSharp.
template <typename T>
std::vector<Fragment> ListBand(const Surface<T>& surface, const Mesh<T>& mesh,
                               const Options& options, int band, int* ids) {
  const PixelRange rows = mesh.bands().rows(band);
  const int64_t first = static_cast<int64_t>(rows.begin) * surface.width;
  ids += first;
  std::vector<Real> depths(static_cast<int64_t>(rows.end - rows.begin) * surface.width);
  std::vector<Fragment> list;
  DrawSharp(mesh, band, surface.width, ids, depths.data());
  VisitPixels(mesh, options, band, surface.width, ids, depths.data(),
              [&](int64_t i, const Place& place, const PixelLayers<Real>& pixel) {
    VisitPoints(mesh.view(), pixel, place, [&](const LayerPoint& point, Real weight) {
      list.push_back({first + i, point, weight});
    });
  });
  return list;
}

// Accumulates the gradient of a list. It is a sink for PixelFragments.
struct VertexSink {
  SparseSums<Real>* vertices;  // [vertices, 3]

  Real* VertexSums(int64_t vertex) { return vertices->Row(vertex); }
  void Add(Real* sum, Real term) { *sum += term; }
};

// The first pixel at which the list or the triangle indices contradict the vertices.
struct Mismatch {
  int64_t pixel = -1;   // -1 if there is none
  bool in_ids = false;  // whether it is the triangle index that is wrong
};

// Differentiates the list of a band and adds to `vertex_gradients`. `ids` are the
// triangle indices that ListBand wrote, and `gradients` covers the list it returned.
template <typename T>
Mismatch DifferentiateList(const Surface<T>& surface, const Mesh<T>& mesh,
                           const Options& options, int band,
                           const FragmentListGradient<T>& gradients, const int* ids,
                           SparseSums<Real>* vertex_gradients) {
  const PixelRange rows = mesh.bands().rows(band);
  const int64_t first = static_cast<int64_t>(rows.begin) * surface.width;
  ids += first;
  std::vector<Real> depths(static_cast<int64_t>(rows.end - rows.begin) * surface.width);
  const int64_t wrong = FindDepths(surface, mesh, band, ids, depths.data());
  if (wrong >= 0) return {first + wrong, true};
  Mismatch mismatch;
  std::vector<SoftFragmentGradient> soft_gradients;
  VertexSink sink = {vertex_gradients};
  int64_t next = 0;
  VisitPixels(mesh, options, band, surface.width, ids, depths.data(),
              [&](int64_t i, const Place& place, const PixelLayers<Real>& pixel) {
    PixelFragments<T, VertexSink> fragments = {gradients, next,
                                               gradients.EndOf(first + i, next), sink};
    if (pixel.count > 0 || place.sharp_triangle != kSharp) {
      soft_gradients.resize(pixel.count);
      DifferentiateLayers(mesh.view(), Real(options.margin), pixel, place,
                          soft_gradients.data(), fragments);
    }
    if (fragments.next != fragments.end && mismatch.pixel < 0) {
      mismatch.pixel = first + i;
    }
    next = fragments.end;
  });
  // Fragments whose pixels are not in ascending order are left over.
  if (next != gradients.count && mismatch.pixel < 0) {
    mismatch.pixel = first + static_cast<int64_t>(depths.size()) - 1;
  }
  return mismatch;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_FRAGMENT_LIST_H_
