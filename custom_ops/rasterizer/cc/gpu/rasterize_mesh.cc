// GPU kernels of RasterizeMesh and RasterizeMeshGrad. They call the launchers in
// rasterize_mesh.h.

#include "gpu/rasterize_mesh.h"

#include <cstdint>

#include "core/picture_inputs.h"
#include "gpu/op_kernels.h"
#include "ops/inputs.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace unsup3d {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;

template <typename T>
class RasterizeMeshGpuOp : public OpKernel {
 public:
  explicit RasterizeMeshGpuOp(OpKernelConstruction* construction)
      : OpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadOptions(construction, &options_));
  }

  void Compute(OpKernelContext* context) override {
    SurfaceInputs in;
    OP_REQUIRES_OK(context, ReadSurface(context, 0, &in));
    OP_REQUIRES_OK(context, ReadSize(context, 3, &in));
    Tensor* ids = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(
                                5, TensorShape({in.batch, in.height, in.width}), &ids));
    const AllocateFragments<T> allocate = [&](int64_t count, FragmentList<T>* list) {
      const TensorShape shapes[] = {{count}, {count}, {count, 3}, {count}, {count}};
      Tensor* outputs[5];
      for (int k = 0; k < 5; ++k) {
        if (!context->allocate_output(k, shapes[k], &outputs[k]).ok()) return false;
      }
      *list = {outputs[0]->flat<int64_t>().data(), outputs[1]->flat<int32_t>().data(),
               outputs[2]->flat<T>().data(), outputs[3]->flat<T>().data(),
               outputs[4]->flat<T>().data()};
      return true;
    };
    TensorAllocator allocator(context);
    const GpuStatus status = RasterizeMeshOnGpu<T>(
        {MakeSurface<T>(in), in.batch}, options_, StreamOf(context), &allocator,
        allocate, ids->flat<int32_t>().data());
    OP_REQUIRES_OK(context, ToStatus<T>(context, status, in));
  }

 private:
  Options options_;
};

template <typename T>
class RasterizeMeshGradGpuOp : public OpKernel {
 public:
  explicit RasterizeMeshGradGpuOp(OpKernelConstruction* construction)
      : OpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadOptions(construction, &options_));
  }

  void Compute(OpKernelContext* context) override {
    FragmentListInputs in;
    OP_REQUIRES_OK(context, ReadFragmentList(context, &in));
    Tensor* vertices = nullptr;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, in.vertices->shape(), &vertices));
    const FragmentListGradient<T> gradients = {
        in.pixels->flat<int64_t>().data(),
        0,
        in.count,
        in.barycentric_gradient->flat<T>().data(),
        in.depth_gradient->flat<T>().data(),
        in.weight_gradient->flat<T>().data()};
    TensorAllocator allocator(context);
    const GpuStatus status =
        RasterizeMeshGradOnGpu<T>({MakeSurface<T>(in), in.batch}, options_, gradients,
                                  in.ids->flat<int32_t>().data(), StreamOf(context),
                                  &allocator, vertices->flat<T>().data());
    OP_REQUIRES(context, status.code != GpuStatus::kInvalidTriangleId,
                DoesNotMatchVertices(in, "triangle_ids", status.pixel));
    OP_REQUIRES(context, status.code != GpuStatus::kInvalidPixels,
                DoesNotMatchVertices(in, "pixels", status.pixel));
    OP_REQUIRES(context, status.code != GpuStatus::kOutsidePixels, PixelsOutside());
    OP_REQUIRES_OK(context, ToStatus<T>(context, status, in));
  }

 private:
  Options options_;
};

#define REGISTER_KERNELS(T)                                   \
  REGISTER_KERNEL_BUILDER(Name("TfUnsup3d>RasterizeMesh")     \
                              .Device(tensorflow::DEVICE_GPU) \
                              .HostMemory("height")           \
                              .HostMemory("width")            \
                              .TypeConstraint<T>("T"),        \
                          RasterizeMeshGpuOp<T>);             \
  REGISTER_KERNEL_BUILDER(Name("TfUnsup3d>RasterizeMeshGrad") \
                              .Device(tensorflow::DEVICE_GPU) \
                              .TypeConstraint<T>("T"),        \
                          RasterizeMeshGradGpuOp<T>)

REGISTER_KERNELS(float);
REGISTER_KERNELS(double);

#undef REGISTER_KERNELS

}  // namespace
}  // namespace unsup3d
