// CUDA kernel of TransformPoints: the arithmetic of the CPU kernel, a point a thread.

#include "gpu/transform_points.h"

#include <cstdint>

#include "gpu/launch.h"

namespace unsup3d {

template <typename T>
GpuStatus TransformOnGpu(const AffineMaps<T>& maps, GpuStream stream, T* result) {
  ForEach(maps.size * maps.count, stream, [=] __device__(int64_t i) {
    TransformPoint(maps.matrix(i / maps.count), maps.points + 3 * i, result + 3 * i);
  });
  return MakeStatus(cudaGetLastError());
}

template GpuStatus TransformOnGpu<float>(const AffineMaps<float>&, GpuStream, float*);
template GpuStatus TransformOnGpu<double>(const AffineMaps<double>&, GpuStream,
                                          double*);

}  // namespace unsup3d
