// The memory and the clock of a GPU, for the check of the CUDA kernels. With
// UNSUP3D_EMULATE_CUDA the GPU is emulated on the host.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_DEVICE_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_DEVICE_H_

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#ifdef UNSUP3D_EMULATE_CUDA
#include "gpu/emulation/runtime.h"
#else
#include <cuda_runtime_api.h>
#endif

#include "gpu/interface.h"

namespace unsup3d {

#ifdef UNSUP3D_EMULATE_CUDA
constexpr bool kIsEmulated = true;
#else
constexpr bool kIsEmulated = false;
#endif

// Lets an emulation run blocks and threads in descending order. A GPU has an order of
// its own in each run.
inline void SetDescendingOrder([[maybe_unused]] bool descending) {
#ifdef UNSUP3D_EMULATE_CUDA
  emulate_descending = descending;
#endif
}

// Ends the program if a function of the CUDA runtime failed.
inline void Require(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "error: CUDA: %s\n", cudaGetErrorString(error));
  std::exit(2);
}

// An array in the memory of the GPU.
template <typename Value>
class DeviceArray {
 public:
  // An array that is full of garbage.
  explicit DeviceArray(int64_t count) : count_(count) {
    const size_t bytes = std::max<int64_t>(count, 1) * sizeof(Value);
    void* memory = nullptr;
    Require(cudaMalloc(&memory, bytes));
    data_ = static_cast<Value*>(memory);
    Require(cudaMemset(data_, 0xa5, bytes));
  }
  explicit DeviceArray(const std::vector<Value>& values)
      : DeviceArray(static_cast<int64_t>(values.size())) {
    Require(cudaMemcpy(data_, values.data(), count_ * sizeof(Value),
                       cudaMemcpyHostToDevice));
  }
  DeviceArray(DeviceArray&& other)
      : data_(std::exchange(other.data_, nullptr)), count_(other.count_) {}
  DeviceArray& operator=(DeviceArray&& other) {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~DeviceArray() { cudaFree(data_); }

  Value* data() const { return data_; }
  int64_t count() const { return count_; }
  std::vector<Value> ToHost() const {
    std::vector<Value> values(count_);
    Require(cudaMemcpy(values.data(), data_, count_ * sizeof(Value),
                       cudaMemcpyDeviceToHost));
    return values;
  }

 private:
  Value* data_;
  int64_t count_;
};

// Scratch memory that is kept from one call to the next, as TensorFlow keeps it.
class ScratchPool : public GpuAllocator {
 public:
  void* Allocate(int64_t bytes) override {
    if (next_ == blocks_.size()) {
      blocks_.emplace_back(bytes);
    } else if (blocks_[next_].count() < bytes) {
      blocks_[next_] = DeviceArray<char>(bytes);
    }
    return blocks_[next_++].data();
  }

  // Lets the next call use the memory of the one before.
  void Reuse() { next_ = 0; }

  int64_t bytes() const {
    int64_t sum = 0;
    for (const DeviceArray<char>& block : blocks_) sum += block.count();
    return sum;
  }

 private:
  std::vector<DeviceArray<char>> blocks_;
  size_t next_ = 0;
};

// Measures the time between two points of the default stream.
class Timer {
 public:
  Timer() {
    Require(cudaEventCreate(&begin_));
    Require(cudaEventCreate(&end_));
  }
  ~Timer() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  Timer(const Timer&) = delete;

  void Start() { Require(cudaEventRecord(begin_, nullptr)); }

  // Waits until everything is done that was queued since Start.
  double Milliseconds() {
    float milliseconds = 0;
    Require(cudaEventRecord(end_, nullptr));
    Require(cudaEventSynchronize(end_));
    Require(cudaEventElapsedTime(&milliseconds, begin_, end_));
    return milliseconds;
  }

 private:
  cudaEvent_t begin_, end_;
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_DEVICE_H_
