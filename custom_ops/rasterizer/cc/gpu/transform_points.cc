// GPU kernel of TransformPoints. It calls the launcher in transform_points.h.

#include "gpu/transform_points.h"

#include "gpu/op_kernels.h"
#include "ops/inputs.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace unsup3d {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

template <typename T>
class TransformPointsGpuOp : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    AffineMaps<T> maps;
    OP_REQUIRES_OK(context, ReadAffineMaps(context, &maps));
    Tensor* result = nullptr;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, context->input(0).shape(), &result));
    const GpuStatus status =
        TransformPointsOnGpu(maps, StreamOf(context), result->flat<T>().data());
    OP_REQUIRES(context, status.ok(), CudaFailed(status));
  }
};

#define REGISTER_KERNELS(T)                                   \
  REGISTER_KERNEL_BUILDER(Name("TfUnsup3d>TransformPoints")   \
                              .Device(tensorflow::DEVICE_GPU) \
                              .TypeConstraint<T>("T"),        \
                          TransformPointsGpuOp<T>)

REGISTER_KERNELS(float);
REGISTER_KERNELS(double);

#undef REGISTER_KERNELS

}  // namespace
}  // namespace unsup3d
