// Differentiates a picture, band by band.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DIFFERENTIATE_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DIFFERENTIATE_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/differentiate_layers.h"
#include "core/differentiate_pixel.h"
#include "core/geometry.h"
#include "core/layer_point.h"
#include "core/mesh.h"
#include "core/picture_inputs.h"
#include "core/pixel_block.h"
#include "core/pixel_layers.h"
#include "core/sharp_layer.h"
#include "core/soft_layer.h"
#include "core/sparse_sums.h"

namespace unsup3d {

// The contribution of one band to the gradients of its picture. It is a sink for
// DifferentiatePixel.
template <typename T>
struct BandGradients {
  SparseSums<Real> vertices;    // [vertices, 3]
  SparseSums<Real> uv;          // [uvs, 2]
  SparseSums<Real> texture;     // [texels, texture channels]
  SparseSums<Real> attributes;  // [vertices, attribute channels]

  BandGradients() = default;
  BandGradients(const PictureInputs<T>& inputs, bool wants_uv)
      : vertices(inputs.vertex_count, 3),
        uv(wants_uv ? inputs.uv_count : 0, 2),
        texture(inputs.texel_count(), inputs.material.texture_channels),
        attributes(inputs.vertex_count, inputs.material.attribute_channels),
        wants_uv_(wants_uv) {}

  bool wants_uv() const { return wants_uv_; }
  Real* VertexSums(int64_t vertex) { return vertices.Row(vertex); }
  Real* UvSums(int64_t index) { return uv.Row(index); }
  Real* TexelSums(int64_t texel) { return texture.Row(texel); }
  Real* AttributeSums(int64_t vertex) { return attributes.Row(vertex); }
  void Add(Real* sum, Real term) { *sum += term; }

 private:
  bool wants_uv_ = true;
};

// Differentiates a band: adds to `gradients` and writes the band's rows of
// `background_gradient` [height, width, channels]. `ids` are the triangle indices that
// DrawBand wrote, and `picture_gradient` is the derivative with respect to the picture
// that it drew. Returns the first pixel of the picture with an invalid triangle index,
// see FindDepths, or -1 if there is none.
template <typename T>
int64_t DifferentiateBand(const PictureInputs<T>& inputs, const Mesh<T>& mesh,
                          const Options& options, int band, const T* picture_gradient,
                          const int* ids, BandGradients<T>* gradients,
                          T* background_gradient) {
  const int channels = inputs.channels;
  const PixelRange rows = mesh.bands().rows(band);
  const int64_t first = static_cast<int64_t>(rows.begin) * inputs.width;
  ids += first;
  picture_gradient += first * channels;
  background_gradient += first * channels;
  const T* backgrounds = inputs.background + first * channels;
  std::vector<Real> depths(static_cast<int64_t>(rows.end - rows.begin) * inputs.width);
  const int64_t wrong = FindDepths(inputs, mesh, band, ids, depths.data());
  if (wrong >= 0) return first + wrong;
  std::copy_n(picture_gradient, depths.size() * channels, background_gradient);
  PixelBlock<T> block(inputs, mesh.view());
  std::vector<SoftFragmentGradient> soft_gradients;
  VisitPixels(mesh, options, band, inputs.width, ids, depths.data(),
              [&](int64_t i, const Place& place, const PixelLayers<Real>& pixel) {
    if (pixel.count == 0) {
      if (place.sharp_triangle == kSharp) return;
      std::fill_n(background_gradient + i * channels, channels, T(0));
      block.Add(i, place);
      if (block.full()) block.Differentiate(picture_gradient, *gradients);
      return;
    }
    soft_gradients.resize(pixel.count);
    DifferentiatePixel(inputs, mesh.view(), Real(options.margin), pixel, place,
                       backgrounds + i * channels, picture_gradient + i * channels,
                       soft_gradients.data(), *gradients,
                       background_gradient + i * channels);
  });
  block.Differentiate(picture_gradient, *gradients);
  return -1;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DIFFERENTIATE_H_
