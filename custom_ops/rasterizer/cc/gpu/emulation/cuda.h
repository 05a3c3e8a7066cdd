// An emulation of CUDA that runs kernels on the host, so that they can be tested
// without a GPU.
//
// It contains only those parts of CUDA that the kernels use. Blocks run one after
// another. The threads of a block are fibers that take turns from one __syncthreads()
// to the next. Blocks and threads run in ascending or in descending order, to test that
// results do not depend on the order.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_EMULATION_CUDA_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_EMULATION_CUDA_H_

#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#define __global__
#define __device__
#define __shared__ static  // only one block runs at a time

struct CUstream_st;
using cudaStream_t = CUstream_st*;
enum cudaError_t { cudaSuccess };
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost };

inline const char* cudaGetErrorString(cudaError_t) { return "none"; }
inline cudaError_t cudaGetLastError() { return cudaSuccess; }
inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaMemsetAsync(void* target, int value, size_t size, cudaStream_t) {
  if (size > 0) std::memset(target, value, size);
  return cudaSuccess;
}
inline cudaError_t cudaMemcpyAsync(void* target, const void* source, size_t size,
                                   cudaMemcpyKind, cudaStream_t) {
  if (size > 0) std::memcpy(target, source, size);
  return cudaSuccess;
}

template <typename Integer>
Integer atomicAdd(Integer* target, Integer value) {
  const Integer before = *target;
  *target += value;
  return before;
}
template <typename Integer>
Integer atomicMax(Integer* target, Integer value) {
  const Integer before = *target;
  *target = std::max(before, value);
  return before;
}
template <typename Integer>
Integer atomicMin(Integer* target, Integer value) {
  const Integer before = *target;
  *target = std::min(before, value);
  return before;
}
template <typename Integer>
Integer atomicOr(Integer* target, Integer value) {
  const Integer before = *target;
  *target |= value;
  return before;
}
inline int __ffs(int value) { return __builtin_ffs(value); }

namespace unsup3d {

struct EmulatedIndex {
  unsigned x;
};

inline EmulatedIndex blockIdx, threadIdx, gridDim;
inline bool emulate_descending = false;

// A block of threads.
class EmulatedBlock {
 public:
  explicit EmulatedBlock(unsigned threads) : fibers_(threads) {
    for (Fiber& fiber : fibers_) fiber.stack.resize(kStackSize);
  }

  void Run(const std::function<void()>& kernel) {
    current_ = this;
    kernel_ = &kernel;
    for (Fiber& fiber : fibers_) {
      getcontext(&fiber.context);
      fiber.context.uc_stack.ss_sp = fiber.stack.data();
      fiber.context.uc_stack.ss_size = fiber.stack.size();
      fiber.context.uc_link = nullptr;
      makecontext(&fiber.context, RunFiber, 0);
      fiber.done = false;
    }
    // In each round, all threads run to their next barrier.
    for (size_t done = 0; done < fibers_.size();) {
      done = 0;
      for (size_t i = 0; i < fibers_.size(); ++i) {
        running_ = emulate_descending ? fibers_.size() - 1 - i : i;
        threadIdx.x = static_cast<unsigned>(running_);
        swapcontext(&scheduler_, &fibers_[running_].context);
        done += fibers_[running_].done;
      }
      if (done != 0 && done != fibers_.size()) {
        std::fprintf(stderr, "some threads of a block miss a barrier\n");
        std::abort();
      }
    }
  }

  static void Synchronize() { current_->Yield(); }

 private:
  static constexpr size_t kStackSize = 64 << 10;

  struct Fiber {
    ucontext_t context;
    std::vector<char> stack;
    bool done;
  };

  void Yield() { swapcontext(&fibers_[running_].context, &scheduler_); }

  static void RunFiber() {
    (*current_->kernel_)();
    current_->fibers_[current_->running_].done = true;
    current_->Yield();
  }

  inline static EmulatedBlock* current_ = nullptr;

  const std::function<void()>* kernel_ = nullptr;
  std::vector<Fiber> fibers_;
  ucontext_t scheduler_;
  size_t running_ = 0;
};

inline void __syncthreads() { EmulatedBlock::Synchronize(); }

inline void EmulateLaunch(unsigned blocks, unsigned threads, cudaStream_t,
                          const std::function<void()>& kernel) {
  static EmulatedBlock block(threads);  // the number of threads is always the same
  gridDim.x = blocks;
  for (unsigned i = 0; i < blocks; ++i) {
    blockIdx.x = emulate_descending ? blocks - 1 - i : i;
    block.Run(kernel);
  }
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_EMULATION_CUDA_H_
