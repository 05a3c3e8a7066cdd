// The colour of a point on the surface, and its derivative.
//
// The colour is [texture channels, attribute channels]: the texture sampled at the
// interpolated UV, and the interpolated vertex attributes, both with the
// perspective-correct barycentric coordinates of the point on its triangle. The texture
// is sampled bilinearly, or with mipmaps trilinearly: linearly between two levels.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_SHADING_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_SHADING_H_

#include <cstdint>

#include "core/geometry.h"
#include "core/mipmaps.h"
#include "core/texture.h"

namespace unsup3d {

// The appearance of the surface of one picture.
template <typename T>
struct Material {
  const int* triangles;     // [triangles, 3]
  const int* uv_triangles;  // [triangles, 3]
  const T* uv;              // [uvs, 2]
  const T* texture;         // [rows, width, texture_channels], see TextureLevels
  const T* attributes;      // [vertices, attribute_channels]
  TextureLevels texture_levels;
  int texture_channels, attribute_channels;
};

// Calls `body(channel)` for each channel. There is no loop for three channels, which
// most pictures have.
template <typename Body>
UNSUP3D_HOST_DEVICE inline void ForChannels(int channels, Body body) {
  if (channels == 3) {
    body(0);
    body(1);
    body(2);
  } else {
    for (int c = 0; c < channels; ++c) body(c);
  }
}

// The texture coordinates (u, v) at a corner of a triangle.
template <typename T>
UNSUP3D_HOST_DEVICE inline const T* CornerUv(const Material<T>& material, int triangle,
                                             int corner) {
  return material.uv +
         2 * static_cast<int64_t>(material.uv_triangles[3 * triangle + corner]);
}

// A point of a triangle, its texture coordinates, and where between the mipmaps the
// texture is sampled.
template <typename Real>
struct MaterialPoint {
  int triangle;
  const Real* barycentric;  // [3]
  Real u, v;
  DetailLevel<Real> detail;
};

template <typename Real, typename T>
UNSUP3D_HOST_DEVICE inline MaterialPoint<Real> FindMaterialPoint(
    const Material<T>& material, int triangle, const Real barycentric[3]) {
  MaterialPoint<Real> point = {triangle, barycentric, 0, 0, {0, 0}};
  if (material.texture_channels == 0) return point;
  for (int k = 0; k < 3; ++k) {
    const T* uv = CornerUv(material, triangle, k);
    point.u += barycentric[k] * uv[0];
    point.v += barycentric[k] * uv[1];
  }
  return point;
}

// The texels of one level of the texture around a point.
template <typename Real, typename T>
struct SampledTexels {
  TextureSample<Real> sample;
  const T* texels[4];  // [texture_channels] each

  UNSUP3D_HOST_DEVICE SampledTexels(const Material<T>& material,
                                    const MaterialPoint<Real>& point, int level)
      : sample(SampleTexture(point.u, point.v, material.texture_levels.Level(level))) {
    for (int k = 0; k < 4; ++k) {
      texels[k] = material.texture +
                  static_cast<int64_t>(sample.texels[k]) * material.texture_channels;
    }
  }

  UNSUP3D_HOST_DEVICE Real Value(int channel) const {
    Real value = 0;
    for (int k = 0; k < 4; ++k) value += sample.weights[k] * texels[k][channel];
    return value;
  }
};

// Calls `visit(channel, value)` for each channel of the colour at a point.
template <typename Real, typename T, typename Visit>
UNSUP3D_HOST_DEVICE inline void VisitColour(const Material<T>& material,
                                            const MaterialPoint<Real>& point,
                                            Visit visit) {
  const int channels = material.texture_channels;
  if (channels > 0) {
    const SampledTexels<Real, T> fine(material, point, point.detail.level);
    const Real fraction = point.detail.fraction;
    if (fraction == 0) {
      ForChannels(channels, [&](int c) { visit(c, fine.Value(c)); });
    } else {
      const SampledTexels<Real, T> coarse(material, point, point.detail.level + 1);
      ForChannels(channels, [&](int c) {
        visit(c, (1 - fraction) * fine.Value(c) + fraction * coarse.Value(c));
      });
    }
  }
  if (material.attribute_channels > 0) {
    const T* corners[3];
    for (int k = 0; k < 3; ++k) {
      corners[k] = material.attributes +
                   static_cast<int64_t>(material.triangles[3 * point.triangle + k]) *
                       material.attribute_channels;
    }
    for (int c = 0; c < material.attribute_channels; ++c) {
      Real value = 0;
      for (int k = 0; k < 3; ++k) value += point.barycentric[k] * corners[k][c];
      visit(channels + c, value);
    }
  }
}

// The derivative with respect to where the texture is sampled.
template <typename Real>
struct PositionGradient {
  Real u, v;
  Real detail;  // with respect to level + fraction
};

// Propagates `weight * colour_gradient`, the derivative with respect to the colour that
// is sampled from one level of the texture, to `sink`, see MaterialGradient, and adds
// to the derivatives with respect to u and v. Returns the dot product of
// `colour_gradient` and that colour.
template <typename Real, typename T, typename Sink>
UNSUP3D_HOST_DEVICE inline Real TexelGradient(const Material<T>& material,
                                              const MaterialPoint<Real>& point,
                                              int level, Real weight,
                                              const T* colour_gradient, Sink& sink,
                                              PositionGradient<Real>* gradient) {
  const SampledTexels<Real, T> texels(material, point, level);
  const TextureSample<Real>& sample = texels.sample;
  Real u_slope = 0, v_slope = 0, value = 0;
  for (int k = 0; k < 4; ++k) {
    const auto sums = sink.TexelSums(sample.texels[k]);
    const Real texel_weight = weight * sample.weights[k];
    Real dot = 0;
    ForChannels(material.texture_channels, [&](int c) {
      dot += Real(colour_gradient[c]) * texels.texels[k][c];
      sink.Add(&sums[c], texel_weight * colour_gradient[c]);
    });
    u_slope += sample.u_slopes[k] * dot;
    v_slope += sample.v_slopes[k] * dot;
    value += sample.weights[k] * dot;
  }
  gradient->u += weight * u_slope;
  gradient->v += weight * v_slope;
  return value;
}

// Propagates `weight * colour_gradient`, the derivative with respect to the colour, to
// the texture and the attributes in `sink`. Its TexelSums(texel) and
// AttributeSums(vertex) return the sums for one texel and for one vertex, and its
// Add(sum, term) adds to a sum. Adds the derivative that passes through the attributes
// to `barycentric_gradient`, and returns that with respect to where the texture is
// sampled.
template <typename Real, typename T, typename Sink>
UNSUP3D_HOST_DEVICE inline PositionGradient<Real> MaterialGradient(
    const Material<T>& material, const MaterialPoint<Real>& point, Real weight,
    const T* colour_gradient, Sink& sink, Real barycentric_gradient[3]) {
  const int channels = material.texture_channels;
  PositionGradient<Real> gradient = {0, 0, 0};
  if (channels > 0) {
    const DetailLevel<Real>& detail = point.detail;
    const Real fine =
        TexelGradient(material, point, detail.level, weight * (1 - detail.fraction),
                      colour_gradient, sink, &gradient);
    if (detail.fraction > 0) {
      const Real coarse =
          TexelGradient(material, point, detail.level + 1, weight * detail.fraction,
                        colour_gradient, sink, &gradient);
      gradient.detail = weight * (coarse - fine);
    }
  }
  if (material.attribute_channels == 0) return gradient;
  for (int k = 0; k < 3; ++k) {
    const int64_t vertex = material.triangles[3 * point.triangle + k];
    const T* values = material.attributes + vertex * material.attribute_channels;
    const auto sums = sink.AttributeSums(vertex);
    Real dot = 0;
    for (int c = 0; c < material.attribute_channels; ++c) {
      const Real g = weight * colour_gradient[channels + c];
      dot += g * values[c];
      sink.Add(&sums[c], point.barycentric[k] * g);
    }
    barycentric_gradient[k] += dot;
  }
  return gradient;
}

// Propagates the derivative with respect to u and v to `sink`, if it wants_uv(). Its
// UvSums(index) accumulates the derivative with respect to one UV.
template <typename Real, typename T, typename Sink>
UNSUP3D_HOST_DEVICE inline void UvGradient(const Material<T>& material,
                                           const MaterialPoint<Real>& point,
                                           const PositionGradient<Real>& gradient,
                                           Sink& sink) {
  if (!sink.wants_uv()) return;
  for (int k = 0; k < 3; ++k) {
    const auto sums = sink.UvSums(material.uv_triangles[3 * point.triangle + k]);
    sink.Add(&sums[0], point.barycentric[k] * gradient.u);
    sink.Add(&sums[1], point.barycentric[k] * gradient.v);
  }
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_SHADING_H_
