// The colour of a point on the surface, and its derivative.
//
// The colour is [texture channels, attribute channels]: the texture sampled at the
// interpolated UV, and the interpolated vertex attributes, both with the
// perspective-correct barycentric coordinates of the point on its triangle.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_SHADING_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_SHADING_H_

#include <cstdint>

#include "geometry.h"
#include "texture.h"

namespace unsup3d {

// What the surfaces of one picture look like.
template <typename T>
struct Material {
  const int* triangles;     // [F, 3]
  const int* uv_triangles;  // [F, 3]
  const T* uv;              // [U, 2]
  const T* texture;         // [texture_height, texture_width, texture_channels]
  const T* attributes;      // [V, attribute_channels]
  int texture_height, texture_width, texture_channels, attribute_channels;
};

template <typename Real, typename T>
UNSUP3D_HOST_DEVICE inline TextureSample<Real> SampleMaterial(
    const Material<T>& material, int triangle, const Real barycentric[3]) {
  Real u = 0, v = 0;
  for (int k = 0; k < 3; ++k) {
    const T* uv = material.uv +
                  2 * static_cast<int64_t>(material.uv_triangles[3 * triangle + k]);
    u += barycentric[k] * uv[0];
    v += barycentric[k] * uv[1];
  }
  return SampleTexture(u, v, material.texture_height, material.texture_width);
}

// Calls `visit(channel, value)` for every channel of the colour.
template <typename Real, typename T, typename Visit>
UNSUP3D_HOST_DEVICE inline void VisitColour(const Material<T>& material,
                                            int triangle,
                                            const Real barycentric[3],
                                            Visit visit) {
  const int channels = material.texture_channels;
  if (channels > 0) {
    const TextureSample<Real> sample =
        SampleMaterial(material, triangle, barycentric);
    const T* texels[4];
    for (int k = 0; k < 4; ++k) {
      texels[k] =
          material.texture + static_cast<int64_t>(sample.texels[k]) * channels;
    }
    for (int c = 0; c < channels; ++c) {
      Real value = 0;
      for (int k = 0; k < 4; ++k) value += sample.weights[k] * texels[k][c];
      visit(c, value);
    }
  }
  if (material.attribute_channels > 0) {
    const T* corners[3];
    for (int k = 0; k < 3; ++k) {
      corners[k] = material.attributes +
                   static_cast<int64_t>(material.triangles[3 * triangle + k]) *
                       material.attribute_channels;
    }
    for (int c = 0; c < material.attribute_channels; ++c) {
      Real value = 0;
      for (int k = 0; k < 3; ++k) value += barycentric[k] * corners[k][c];
      visit(channels + c, value);
    }
  }
}

// Passes the derivative `weight * colour_gradient` with respect to the colour on to
// the texture, the UVs and the attributes through `sink`, and adds that with respect
// to the barycentric coordinates to `barycentric_gradient`.
template <typename Real, typename T, typename Sink>
UNSUP3D_HOST_DEVICE inline void ColourGradient(const Material<T>& material,
                                               int triangle,
                                               const Real barycentric[3],
                                               Real weight,
                                               const T* colour_gradient, Sink& sink,
                                               Real barycentric_gradient[3]) {
  const int channels = material.texture_channels;
  if (channels > 0) {
    const TextureSample<Real> sample =
        SampleMaterial(material, triangle, barycentric);
    Real u_gradient = 0, v_gradient = 0;
    for (int k = 0; k < 4; ++k) {
      const int64_t offset = static_cast<int64_t>(sample.texels[k]) * channels;
      Real dot = 0;
      for (int c = 0; c < channels; ++c) {
        dot += Real(colour_gradient[c]) * material.texture[offset + c];
        sink.AddTexture(offset + c,
                        weight * sample.weights[k] * colour_gradient[c]);
      }
      u_gradient += sample.u_slopes[k] * dot;
      v_gradient += sample.v_slopes[k] * dot;
    }
    u_gradient *= weight;
    v_gradient *= weight;
    for (int k = 0; k < 3; ++k) {
      const int64_t index = material.uv_triangles[3 * triangle + k];
      const T* uv = material.uv + 2 * index;
      sink.AddUv(2 * index, barycentric[k] * u_gradient);
      sink.AddUv(2 * index + 1, barycentric[k] * v_gradient);
      barycentric_gradient[k] += u_gradient * uv[0] + v_gradient * uv[1];
    }
  }
  for (int k = 0; k < 3; ++k) {
    const int64_t offset =
        static_cast<int64_t>(material.triangles[3 * triangle + k]) *
        material.attribute_channels;
    Real dot = 0;
    for (int c = 0; c < material.attribute_channels; ++c) {
      const Real g = weight * colour_gradient[channels + c];
      dot += g * material.attributes[offset + c];
      sink.AddAttribute(offset + c, barycentric[k] * g);
    }
    barycentric_gradient[k] += dot;
  }
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_SHADING_H_
