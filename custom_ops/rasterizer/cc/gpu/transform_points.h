// The launcher of TransformPoints, see interface.h.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_TRANSFORM_POINTS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_TRANSFORM_POINTS_H_

#include "core/affine.h"
#include "gpu/interface.h"

namespace unsup3d {

// Writes `result` [size, count, 3].
template <typename T>
GpuStatus TransformPointsOnGpu(const AffineMaps<T>& maps, GpuStream stream, T* result);

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_TRANSFORM_POINTS_H_
