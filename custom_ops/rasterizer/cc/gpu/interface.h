// What the launchers of GPU kernels have in common: plain functions that need neither
// TensorFlow's nor CUDA's headers to be called.
//
// All arrays lie in the memory of the current device, and work is queued on a stream.
// Halfway the launchers wait for it, to learn whether the inputs are valid and how much
// memory is needed.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_INTERFACE_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_INTERFACE_H_

#include <cstdint>

struct CUstream_st;

namespace unsup3d {

using GpuStream = CUstream_st*;  // CUDA's cudaStream_t

// Pictures whose inputs, a Surface or a Scene, each follow one another in memory.
// Indices and values need not be valid yet.
template <typename Input>
struct Batch {
  Input first;
  int64_t size;
};

// Where scratch memory comes from.
class GpuAllocator {
 public:
  virtual ~GpuAllocator() = default;

  // Returns memory of the device that stays until the queued work is done, aligned
  // for any type; null if there is none left.
  virtual void* Allocate(int64_t bytes) = 0;
};

struct GpuStatus {
  enum Code {
    kOk,
    kInvalidValues,      // an index out of range, a vertex or UV that is not finite
    kInvalidTriangleId,  // at `pixel`, counted through the batch
    kInvalidPixels,      // a list of fragments is not that of the vertices at `pixel`
    kOutsidePixels,      // a list has fragments of pixels that no picture has
    kOutOfMemory,
    kCudaError,  // `message` tells which
  };
  Code code = kOk;
  int64_t pixel = 0;
  const char* message = "";

  bool ok() const { return code == kOk; }
};

// Copies from the device, and waits for it.
GpuStatus CopyToHost(void* target, const void* source, int64_t bytes,
                     GpuStream stream);

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_INTERFACE_H_
