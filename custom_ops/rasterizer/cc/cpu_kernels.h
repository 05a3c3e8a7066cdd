// What the CPU kernels share.
//
// Every unit of work, see bands.h, writes to memory of its own, and the units'
// results are put together in their order: they are the same to the last bit with any
// number of threads.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CPU_KERNELS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CPU_KERNELS_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "inputs.h"
#include "mesh.h"
#include "scene.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/lib/core/threadpool.h"

namespace unsup3d {

// Calls `work(i)` for all 0 <= i < count.
inline void ParallelFor(tensorflow::OpKernelContext* context, int64_t count,
                        const std::function<void(int64_t)>& work) {
  using tensorflow::thread::ThreadPool;
  context->device()->tensorflow_cpu_worker_threads()->workers->ParallelFor(
      count,
      ThreadPool::SchedulingParams(ThreadPool::SchedulingStrategy::kFixedBlockSize,
                                   absl::nullopt, 1),
      [&work](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) work(i);
      });
}

// The meshes of a batch, ready for drawing.
template <typename T>
std::vector<Mesh<T>> MakeMeshes(tensorflow::OpKernelContext* context,
                                const SurfaceInputs& in, const Options& options) {
  std::vector<Mesh<T>> meshes(in.batch);
  ParallelFor(context, in.batch, [&](int64_t b) {
    meshes[b] = Mesh<T>(MakeSurface<T>(in).Skip(b), options);
  });
  return meshes;
}

// The sum of `count` parts of the given size.
template <typename Part, typename T>
void SumParts(const Part* parts, int64_t count, int64_t size, T* target) {
  std::vector<Part> sum(size, Part(0));
  for (int64_t k = 0; k < count; ++k) {
    for (int64_t i = 0; i < size; ++i) sum[i] += parts[k * size + i];
  }
  for (int64_t i = 0; i < size; ++i) target[i] = static_cast<T>(sum[i]);
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CPU_KERNELS_H_
