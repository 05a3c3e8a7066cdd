// Bilinear sampling of a texture and its derivative.
//
// u and v are in [0, 1], (0, 0) is the outer corner of the top-left texel, and texel
// centres are at half-integers. Beyond the outermost texel centres the texture
// continues with the value at its border.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_TEXTURE_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_TEXTURE_H_

#include "core/geometry.h"

namespace unsup3d {

// The two texels on either side of a texture coordinate, along one axis.
template <typename Real>
struct TexelPair {
  int first, second;
  Real fraction;  // the weight of the second texel
  Real slope;     // derivative of the fraction with respect to the coordinate
};

template <typename Real>
UNSUP3D_HOST_DEVICE inline TexelPair<Real> FindTexels(Real coordinate, int size) {
  const Real position = coordinate * size - Real(0.5);
  const Real last = size - 1;
  // The conditions are written so that NaN ends up at the border.
  if (!(position > 0)) return {0, 0, 0, 0};
  if (!(position < last)) return {size - 1, size - 1, 0, 0};
  const int first = static_cast<int>(position);
  return {first, first + 1, position - first, Real(size)};
}

// The texels of a texture, as a part of an array of texels.
struct TexelGrid {
  int height, width;
  int first, stride;  // index of the first texel, and the step from row to row
};

// The four texels around a point and their bilinear weights.
template <typename Real>
struct TextureSample {
  // Indices: top left, top right, bottom left, bottom right.
  int texels[4];
  Real weights[4];
  Real u_slopes[4];  // derivatives of the weights with respect to u
  Real v_slopes[4];  // and with respect to v
};

template <typename Real>
UNSUP3D_HOST_DEVICE inline TextureSample<Real> SampleTexture(Real u, Real v,
                                                             const TexelGrid& grid) {
  const TexelPair<Real> x = FindTexels(u, grid.width);
  const TexelPair<Real> y = FindTexels(v, grid.height);
  TextureSample<Real> sample;
  for (int k = 0; k < 4; ++k) {
    const bool right = k & 1;
    const bool bottom = k & 2;
    const Real wx = right ? x.fraction : 1 - x.fraction;
    const Real wy = bottom ? y.fraction : 1 - y.fraction;
    sample.texels[k] = grid.first + (bottom ? y.second : y.first) * grid.stride +
                       (right ? x.second : x.first);
    sample.weights[k] = wx * wy;
    sample.u_slopes[k] = (right ? x.slope : -x.slope) * wy;
    sample.v_slopes[k] = (bottom ? y.slope : -y.slope) * wx;
  }
  return sample;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_TEXTURE_H_
