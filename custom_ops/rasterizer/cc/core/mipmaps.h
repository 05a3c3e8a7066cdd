// The mipmaps of a texture: the same texture at ever lower resolutions (Williams,
// Pyramidal Parametrics, 1983).
//
// Level 0 is the texture itself, and each further level, a mipmap, has half the height
// and half the width of the one before. One array holds all levels: the texture above,
// and below it, half as high, the mipmaps side by side from left to right.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_MIPMAPS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_MIPMAPS_H_

#include "core/texture.h"

namespace unsup3d {

// The levels of a texture: the size of the texture itself, and the number of mipmaps
// below it, of which there may be none. The height and the width are multiples of
// 2^mipmaps.
struct TextureLevels {
  int height, width, mipmaps;

  // The number of rows of the array.
  UNSUP3D_HOST_DEVICE int rows() const {
    return mipmaps > 0 ? height + height / 2 : height;
  }
  UNSUP3D_HOST_DEVICE TexelGrid Level(int level) const {
    if (level == 0) return {height, width, 0, width};
    // The mipmaps to the left are half the width, a quarter of it, and so on.
    const int left = width - (width >> (level - 1));
    return {height >> level, width >> level, height * width + left, width};
  }
};

// Where to sample a texture with mipmaps: between a level and the next one.
template <typename Real>
struct DetailLevel {
  int level;
  Real fraction;  // the weight of the next level
};

// Finds the level whose texels are as large as a pixel, given the squared length in
// texels of a step by one pixel. A texture that is magnified is sampled itself, and one
// that is seen from too far is sampled at the last level.
template <typename Real>
UNSUP3D_HOST_DEVICE inline DetailLevel<Real> FindDetailLevel(Real squared_step,
                                                             int mipmaps) {
  // The conditions are written so that NaN ends up at the texture itself.
  if (!(squared_step > 1)) return {0, 0};
  const Real detail = Real(0.5) * std::log2(squared_step);
  if (!(detail < mipmaps)) return {mipmaps, 0};
  const int level = static_cast<int>(detail);
  return {level, detail - level};
}

// The derivative of FindDetailLevel where it lies between two levels.
template <typename Real>
UNSUP3D_HOST_DEVICE inline Real DetailLevelSlope(Real squared_step) {
  constexpr double kLog4 = 1.3862943611198906;
  return 1 / (Real(kLog4) * squared_step);
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_MIPMAPS_H_
