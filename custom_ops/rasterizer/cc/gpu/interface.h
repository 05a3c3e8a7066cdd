// What the launchers of CUDA kernels have in common. Launchers are plain functions that
// can be called without the headers of TensorFlow or CUDA.
//
// All arrays are in the memory of the current device, and work is queued on a stream.
// Launchers may wait for the stream in between, to learn whether the inputs are valid
// and how much memory is needed.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_INTERFACE_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_INTERFACE_H_

#include <cstdint>

struct CUstream_st;

namespace unsup3d {

using GpuStream = CUstream_st*;  // CUDA's cudaStream_t

// A batch of pictures. `first` is the Surface or PictureInputs of the first one; the
// arrays of the others follow it in memory. Indices and values have not been checked
// yet.
template <typename Input>
struct Batch {
  Input first;
  int64_t size;
};

// Provides scratch memory.
class GpuAllocator {
 public:
  virtual ~GpuAllocator() = default;

  // Returns memory of the device, aligned for any type, that remains valid until the
  // queued work is done. Returns null if there is not enough.
  virtual void* Allocate(int64_t bytes) = 0;
};

// The outcome of a launcher.
struct GpuStatus {
  enum Code {
    kOk,
    kInvalidValues,      // an index is out of range, or a vertex or UV is not finite
    kInvalidTriangleId,  // of a triangle that is not drawn at `pixel`
    kInvalidPixels,      // the fragment list contradicts the vertices at `pixel`
    kOutsidePixels,      // the fragment list has pixels outside of all pictures
    kOutOfMemory,
    kCudaError,  // see `message`
  };
  Code code = kOk;
  int64_t pixel = 0;  // counted through the batch
  const char* message = "";

  bool ok() const { return code == kOk; }
};

// Copies from the device to the host, and waits until that is done.
GpuStatus CopyToHost(void* target, const void* source, int64_t bytes, GpuStream stream);

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_INTERFACE_H_
