// The derivative of a picture.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_DIFFERENTIATE_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_DIFFERENTIATE_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "differentiate_pixel.h"
#include "fragments.h"
#include "geometry.h"
#include "layer_point.h"
#include "mesh.h"
#include "pixel_gradient.h"
#include "scene.h"
#include "sharp_layer.h"
#include "soft_layer.h"

namespace unsup3d {

// Where gradients are added up.
template <typename T>
struct Gradients {
  Vertex<Real>* vertices;
  Real* uv;
  T* texture;
  T* attributes;

  void AddTexture(int64_t index, Real value) {
    texture[index] += static_cast<T>(value);
  }
  void AddAttribute(int64_t index, Real value) {
    attributes[index] += static_cast<T>(value);
  }
  void AddUv(int64_t index, Real value) { uv[index] += value; }
  void AddVertex(int64_t index, const Vertex<Real>& value) {
    AddScaled(&vertices[index], Real(1), value);
  }
};

// Differentiates the rows begin .. end, adding to `gradients` and writing the rows of
// `background_gradient` [height, width, channels]. `ids` are those of DrawBand and
// the derivative with respect to its picture is `picture_gradient`; `depths` is
// scratch. Returns the first pixel with a wrong triangle index, or -1, see FindDepths.
template <typename T>
int64_t DifferentiateBand(const Scene<T>& scene, const Mesh<T>& mesh,
                          const Options& options, int begin, int end,
                          const T* picture_gradient, const int* ids, Real* depths,
                          Gradients<T> gradients, T* background_gradient) {
  const int channels = scene.channels;
  const int64_t wrong = FindDepths(scene, mesh, begin, end, ids, depths);
  if (wrong >= 0) return wrong;
  std::vector<FragmentGradient> fragments;
  VisitPixels(mesh, options, begin, end, scene.width, ids, depths, [&](
      int64_t i, const Place& place, const Pixel<Real>& pixel) {
    const T* g = picture_gradient + i * channels;
    if (pixel.count == 0 && place.sharp_triangle == kSharp) {
      std::copy(g, g + channels, background_gradient + i * channels);
      return;
    }
    fragments.resize(pixel.count);
    DifferentiatePixel(scene, mesh.view(), Real(options.margin), pixel, place,
                       scene.background + i * channels, g, fragments.data(),
                       gradients, background_gradient + i * channels);
  });
  return -1;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_DIFFERENTIATE_H_
