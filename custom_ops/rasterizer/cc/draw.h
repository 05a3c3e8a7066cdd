// Draws a picture: the soft layer over the sharp one over the background.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_DRAW_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_DRAW_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "fragments.h"
#include "layer_point.h"
#include "mesh.h"
#include "scene.h"
#include "shading.h"
#include "sharp_layer.h"
#include "soft_layer.h"

namespace unsup3d {

// Calls `visit(channel, value)` for the colour that a layer shows at (px, py).
template <typename T, typename Visit>
void VisitLayer(const Scene<T>& scene, const Mesh<T>& mesh, const Pixel<Real>& pixel,
                int fragment, int sharp_triangle, Real px, Real py,
                const T* background, Visit visit) {
  const LayerPoint point =
      FindLayerPoint(mesh, pixel, fragment, sharp_triangle, px, py);
  if (point.triangle >= 0) {
    VisitColour(scene.material, point.triangle, point.barycentric, visit);
  } else {
    for (int c = 0; c < scene.channels; ++c) visit(c, Real(background[c]));
  }
}

// Draws the rows begin .. end of `picture` [height, width, channels], and of `ids`
// and `depths`, see DrawSharp.
template <typename T>
void DrawBand(const Scene<T>& scene, const Mesh<T>& mesh, const Options& options,
              int begin, int end, int* ids, Real* depths, T* picture) {
  const int channels = scene.channels;
  DrawSharp(mesh, begin, end, scene.width, ids, depths);
  std::vector<Real> colour(channels);
  VisitPixels(mesh, options, begin, end, scene.width, depths, [&](
      int64_t i, Real px, Real py, const Pixel<Real>& pixel) {
    const T* background = scene.background + i * channels;
    if (pixel.count == 0 && ids[i] == kSharp) {
      std::copy(background, background + channels, picture + i * channels);
      return;
    }
    std::fill(colour.begin(), colour.end(), Real(0));
    for (Layer<Real> layer = pixel.FirstLayer();; layer = pixel.NextLayer(layer)) {
      const Real weight = layer.Weight();
      if (weight > 0) {
        VisitLayer(scene, mesh, pixel, layer.fragment, ids[i], px, py, background,
                   [&](int c, Real value) { colour[c] += weight * value; });
      }
      if (layer.fragment == kSharp) break;
    }
    for (int c = 0; c < channels; ++c) {
      picture[i * channels + c] = static_cast<T>(colour[c]);
    }
  });
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_DRAW_H_
