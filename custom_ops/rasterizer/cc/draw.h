// Draws a picture.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_DRAW_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_DRAW_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "draw_pixel.h"
#include "fragments.h"
#include "layer_point.h"
#include "mesh.h"
#include "scene.h"
#include "sharp_layer.h"
#include "soft_layer.h"

namespace unsup3d {

// Draws the rows begin .. end of `picture` [height, width, channels], and of `ids`
// and `depths`, see DrawSharp.
template <typename T>
void DrawBand(const Scene<T>& scene, const Mesh<T>& mesh, const Options& options,
              int begin, int end, int* ids, Real* depths, T* picture) {
  const int channels = scene.channels;
  DrawSharp(mesh, begin, end, scene.width, ids, depths);
  std::vector<Real> colour(channels);
  VisitPixels(mesh, options, begin, end, scene.width, ids, depths, [&](
      int64_t i, const Place& place, const Pixel<Real>& pixel) {
    const T* background = scene.background + i * channels;
    if (pixel.count == 0 && place.sharp_triangle == kSharp) {
      std::copy(background, background + channels, picture + i * channels);
      return;
    }
    std::fill(colour.begin(), colour.end(), Real(0));
    DrawPixel(scene, mesh.view(), pixel, place, background,
              [&](int c, Real term) { colour[c] += term; });
    for (int c = 0; c < channels; ++c) {
      picture[i * channels + c] = static_cast<T>(colour[c]);
    }
  });
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_DRAW_H_
