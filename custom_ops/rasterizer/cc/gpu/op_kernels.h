// What the GPU kernels of the ops share. This must be included before any header of
// TensorFlow.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_OP_KERNELS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_OP_KERNELS_H_

#define EIGEN_USE_GPU  // for Eigen::GpuDevice

#include <cstdint>
#include <initializer_list>
#include <list>
#include <vector>

#include "gpu/interface.h"
#include "ops/inputs.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "unsupported/Eigen/CXX11/Tensor"

namespace unsup3d {

inline GpuStream StreamOf(tensorflow::OpKernelContext* context) {
  return context->eigen_gpu_device().stream();
}

// Allocates temporary tensors. TensorFlow reuses their memory in the order of the
// stream, so not before the queued work is done.
class TensorAllocator : public GpuAllocator {
 public:
  explicit TensorAllocator(tensorflow::OpKernelContext* context) : context_(context) {}

  void* Allocate(int64_t bytes) override {
    tensorflow::Tensor tensor;
    if (!context_
             ->allocate_temp(tensorflow::DT_UINT8, tensorflow::TensorShape({bytes}),
                             &tensor)
             .ok()) {
      return nullptr;
    }
    tensors_.push_back(tensor);
    return tensor.data();
  }

 private:
  tensorflow::OpKernelContext* context_;
  std::vector<tensorflow::Tensor> tensors_;
};

// Copies tensors to main memory and keeps the copies.
class HostCopies {
 public:
  explicit HostCopies(GpuStream stream) : stream_(stream) {}

  // Replace those inputs whose values are checked by copies, unless a copy fails.
  GpuStatus Replace(SurfaceInputs* in) {
    return Replace({&in->vertices, &in->triangles, &in->neighbors});
  }
  GpuStatus Replace(RenderMeshInputs* in) {
    const GpuStatus status = Replace(static_cast<SurfaceInputs*>(in));
    return status.ok() ? Replace({&in->uv, &in->uv_triangles}) : status;
  }

 private:
  GpuStatus Replace(std::initializer_list<const tensorflow::Tensor**> tensors) {
    for (const tensorflow::Tensor** tensor : tensors) {
      const tensorflow::Tensor& source = **tensor;
      copies_.emplace_back(source.dtype(), source.shape());
      const GpuStatus status = CopyToHost(copies_.back().data(), source.data(),
                                          source.TotalBytes(), stream_);
      if (!status.ok()) return status;
      *tensor = &copies_.back();
    }
    return {};
  }

  GpuStream stream_;
  std::list<tensorflow::Tensor> copies_;
};

// The error for a failure of CUDA.
inline absl::Status CudaFailed(const GpuStatus& status) {
  return tensorflow::errors::Internal("the rasteriser's CUDA kernels failed: ",
                                      status.message);
}

// The status to report to TensorFlow, except for invalid triangle indices and fragment
// lists, for which the kernels have errors of their own.
template <typename T, typename In>
absl::Status ToStatus(tensorflow::OpKernelContext* context, const GpuStatus& status,
                      const In& in) {
  switch (status.code) {
    case GpuStatus::kOk:
    case GpuStatus::kInvalidTriangleId:
    case GpuStatus::kInvalidPixels:
    case GpuStatus::kOutsidePixels:
      return absl::OkStatus();
    case GpuStatus::kInvalidValues: {
      // Checking copies in main memory gives the same error as on the CPU.
      HostCopies copies(StreamOf(context));
      In on_host = in;
      const GpuStatus copied = copies.Replace(&on_host);
      if (!copied.ok()) return CudaFailed(copied);
      TF_RETURN_IF_ERROR(CheckValues<T>(context, on_host));
      // Nothing has been drawn all the same.
      return tensorflow::errors::Internal(
          "the rasteriser's CUDA kernels refused inputs that are valid on the CPU");
    }
    case GpuStatus::kOutOfMemory:
      return tensorflow::errors::ResourceExhausted(
          "no memory of the GPU is left for the rasteriser");
    case GpuStatus::kCudaError:
      break;
  }
  return CudaFailed(status);
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_OP_KERNELS_H_
