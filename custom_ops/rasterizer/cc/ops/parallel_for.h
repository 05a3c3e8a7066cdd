// Loops on the threads of the processor.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_OPS_PARALLEL_FOR_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_OPS_PARALLEL_FOR_H_

#include <cstdint>
#include <functional>

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

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_OPS_PARALLEL_FOR_H_
