// Draws a picture, band by band.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DRAW_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DRAW_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/draw_pixel.h"
#include "core/layer_point.h"
#include "core/mesh.h"
#include "core/picture_inputs.h"
#include "core/pixel_block.h"
#include "core/pixel_layers.h"
#include "core/sharp_layer.h"
#include "core/soft_layer.h"

namespace unsup3d {

// Draws a band of `picture` [height, width, channels] and of `ids` [height, width], see
// DrawSharp.
template <typename T>
void DrawBand(const PictureInputs<T>& inputs, const Mesh<T>& mesh,
              const Options& options, int band, int* ids, T* picture) {
  const int channels = inputs.channels;
  const PixelRange rows = mesh.bands().rows(band);
  const int64_t first = static_cast<int64_t>(rows.begin) * inputs.width;
  ids += first;
  picture += first * channels;
  const T* backgrounds = inputs.background + first * channels;
  std::vector<Real> depths(static_cast<int64_t>(rows.end - rows.begin) * inputs.width);
  std::vector<Real> colour(channels);
  DrawSharp(mesh, band, inputs.width, ids, depths.data());
  std::copy_n(backgrounds, depths.size() * channels, picture);
  PixelBlock<T> block(inputs, mesh.view());
  VisitPixels(mesh, options, band, inputs.width, ids, depths.data(),
              [&](int64_t i, const Place& place, const PixelLayers<Real>& pixel) {
    if (pixel.count == 0) {
      if (place.sharp_triangle == kSharp) return;
      block.Add(i, place);
      if (block.full()) block.Draw(picture);
      return;
    }
    std::fill(colour.begin(), colour.end(), Real(0));
    DrawPixel(inputs, mesh.view(), pixel, place, backgrounds + i * channels,
              [&](int c, Real term) { colour[c] += term; });
    for (int c = 0; c < channels; ++c) {
      picture[i * channels + c] = static_cast<T>(colour[c]);
    }
  });
  block.Draw(picture);
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DRAW_H_
