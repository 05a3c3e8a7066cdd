// RenderMesh and RenderMeshGrad on a GPU as plain functions: neither TensorFlow's nor
// CUDA's headers are needed to call them.
//
// All arrays lie in the memory of the current device, and work is queued on a stream.
// Halfway the functions wait for it, to learn whether the inputs are valid and how much
// memory the soft layer needs.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_RASTERIZE_GPU_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_RASTERIZE_GPU_H_

#include <cstdint>

#include "scene.h"

struct CUstream_st;

namespace unsup3d {

using GpuStream = CUstream_st*;  // CUDA's cudaStream_t

// Pictures whose arrays each follow one another in memory. Indices and values need
// not be valid yet.
template <typename T>
struct Batch {
  Scene<T> first;
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
    kOutOfMemory,
    kCudaError,  // `message` tells which
  };
  Code code = kOk;
  int64_t pixel = 0;
  const char* message = "";
};

// The gradients with respect to a batch.
template <typename T>
struct BatchGradients {
  T *vertices, *uv, *texture, *attributes, *background;
};

// Writes `picture` [size, height, width, channels] and `ids` [size, height, width].
template <typename T>
GpuStatus DrawOnGpu(const Batch<T>& batch, const Options& options, GpuStream stream,
                    GpuAllocator* allocator, T* picture, int* ids);

// Writes `gradients`, given `ids` and the derivative with respect to the picture.
template <typename T>
GpuStatus DifferentiateOnGpu(const Batch<T>& batch, const Options& options,
                             const T* picture_gradient, const int* ids,
                             GpuStream stream, GpuAllocator* allocator,
                             const BatchGradients<T>& gradients);

// Copies from the device, and waits for it.
GpuStatus CopyToHost(void* target, const void* source, int64_t bytes,
                     GpuStream stream);

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_RASTERIZE_GPU_H_
