// CUDA kernel of TransformPoints. Each thread transforms a point, with the arithmetic
// of the CPU kernel.

#include "gpu/transform_points.h"

#include <cstdint>

#include "gpu/launch.h"

namespace unsup3d {

template <typename T>
GpuStatus TransformPointsOnGpu(const AffineMaps<T>& maps, GpuStream stream, T* result) {
  ForEach(maps.size * maps.count, stream, [=] __device__(int64_t i) {
    TransformPoint(maps.matrix(i / maps.count), maps.points + 3 * i, result + 3 * i);
  });
  return MakeStatus(cudaGetLastError());
}

template GpuStatus TransformPointsOnGpu<float>(const AffineMaps<float>&, GpuStream,
                                               float*);
template GpuStatus TransformPointsOnGpu<double>(const AffineMaps<double>&, GpuStream,
                                                double*);

}  // namespace unsup3d
