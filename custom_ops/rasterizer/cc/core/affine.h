// Affine maps of points: rotations, camera projections, or both combined.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_AFFINE_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_AFFINE_H_

#include <cstdint>

#include "core/geometry.h"

namespace unsup3d {

// The points of a batch, [size, count, 3], and their matrices: one of shape [3, 4] for
// each picture, or a single one for the whole batch.
template <typename T>
struct AffineMaps {
  const T *points, *matrices;
  int64_t size, count;
  bool one_matrix;

  UNSUP3D_HOST_DEVICE const T* matrix(int64_t picture) const {
    return matrices + (one_matrix ? 0 : 12 * picture);
  }
};

// Maps one point. The arithmetic is in double precision and the result is rounded once,
// so that a projected point keeps its position within its pixel.
template <typename T>
UNSUP3D_HOST_DEVICE inline void TransformPoint(const T* matrix, const T* point,
                                               T* result) {
  const double x = point[0], y = point[1], z = point[2];
  for (int row = 0; row < 3; ++row, matrix += 4) {
    result[row] =
        static_cast<T>(matrix[0] * x + matrix[1] * y + matrix[2] * z + matrix[3]);
  }
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_AFFINE_H_
