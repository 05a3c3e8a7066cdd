// The derivative of a picture: the way of draw.h, backwards.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_DIFFERENTIATE_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_DIFFERENTIATE_H_

#include <algorithm>
#include <cstdint>

#include "draw.h"
#include "fragments.h"
#include "geometry.h"
#include "layer_point.h"
#include "mesh.h"
#include "pixel_gradient.h"
#include "scene.h"
#include "shading.h"
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
};

// The colour of a pixel, `g` being the derivative with respect to it: a function of
// its layers, see PixelDifferentiator.
template <typename T>
struct PixelColour {
  const Scene<T>& scene;
  const Mesh<T>& mesh;
  const Pixel<Real>& pixel;
  const int sharp_triangle;
  const Real px, py;
  const T *background, *g;
  Gradients<T>& gradients;
  T* background_gradient;

  // The colour that the layer shows, seen along g.
  Real Worth(int fragment) const {
    Real sum = 0;
    VisitLayer(scene, mesh, pixel, fragment, sharp_triangle, px, py, background,
               [&](int c, Real value) { sum += g[c] * value; });
    return sum;
  }

  void AddPoint(const LayerPoint& point, Real weight, Real barycentric_gradient[3],
                Real*) {
    ColourGradient(scene.material, point.triangle, point.barycentric, weight, g,
                   gradients, barycentric_gradient);
  }

  void AddBackground(Real weight) {
    for (int c = 0; c < scene.channels; ++c) {
      background_gradient[c] = static_cast<T>(weight * g[c]);
    }
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
  PixelDifferentiator<T> differentiator(mesh, options, gradients.vertices);
  VisitPixels(mesh, options, begin, end, scene.width, depths, [&](
      int64_t i, Real px, Real py, const Pixel<Real>& pixel) {
    const T* g = picture_gradient + i * channels;
    T* own_background_gradient = background_gradient + i * channels;
    if (pixel.count == 0 && ids[i] == kSharp) {
      std::copy(g, g + channels, own_background_gradient);
      return;
    }
    std::fill_n(own_background_gradient, channels, T(0));
    PixelColour<T> colour = {scene, mesh, pixel, ids[i], px, py,
                             scene.background + i * channels, g, gradients,
                             own_background_gradient};
    differentiator.Differentiate(pixel, ids[i], px, py, colour);
  });
  return -1;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_DIFFERENTIATE_H_
