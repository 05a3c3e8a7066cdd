// GPU kernels of RenderMesh and RenderMeshGrad. They call the launchers in
// render_mesh.h.

#include "gpu/render_mesh.h"

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
class RenderMeshGpuOp : public OpKernel {
 public:
  explicit RenderMeshGpuOp(OpKernelConstruction* construction)
      : OpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadOptions(construction, &options_));
    OP_REQUIRES_OK(construction, ReadMipmaps(construction, &mipmaps_));
  }

  void Compute(OpKernelContext* context) override {
    RenderMeshInputs in;
    OP_REQUIRES_OK(context, ReadRenderMeshInputs(context, 0, mipmaps_, &in));
    Tensor *picture = nullptr, *ids = nullptr;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, in.background->shape(), &picture));
    OP_REQUIRES_OK(context, context->allocate_output(
                                1, TensorShape({in.batch, in.height, in.width}), &ids));
    TensorAllocator allocator(context);
    const GpuStatus status = RenderMeshOnGpu<T>(
        {MakePictureInputs<T>(in), in.batch}, options_, StreamOf(context), &allocator,
        picture->flat<T>().data(), ids->flat<int32_t>().data());
    OP_REQUIRES_OK(context, ToStatus<T>(context, status, in));
  }

 private:
  Options options_;
  int mipmaps_;
};

template <typename T>
class RenderMeshGradGpuOp : public OpKernel {
 public:
  explicit RenderMeshGradGpuOp(OpKernelConstruction* construction)
      : OpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadOptions(construction, &options_));
    OP_REQUIRES_OK(construction, ReadMipmaps(construction, &mipmaps_));
    OP_REQUIRES_OK(construction, construction->GetAttr("wants_uv", &wants_uv_));
  }

  void Compute(OpKernelContext* context) override {
    RenderMeshInputs in;
    OP_REQUIRES_OK(context, ReadRenderMeshInputs(context, 2, mipmaps_, &in));
    const Tensor& picture_gradient = context->input(0);
    const Tensor& ids = context->input(1);
    OP_REQUIRES_OK(context, CheckGradientShapes(in, picture_gradient, ids));
    const Tensor* const inputs[] = {in.vertices, in.uv, in.texture, in.attributes,
                                    in.background};
    T* outputs[5];
    for (int k = 0; k < 5; ++k) {
      const TensorShape shape =
          k == 1 ? UvGradientShape(in, wants_uv_) : inputs[k]->shape();
      Tensor* output = nullptr;
      OP_REQUIRES_OK(context, context->allocate_output(k, shape, &output));
      outputs[k] = output->flat<T>().data();
    }
    if (!wants_uv_) outputs[1] = nullptr;
    TensorAllocator allocator(context);
    const GpuStream stream = StreamOf(context);
    const GpuStatus status = RenderMeshGradOnGpu<T>(
        {MakePictureInputs<T>(in), in.batch}, options_,
        picture_gradient.flat<T>().data(), ids.flat<int32_t>().data(), stream,
        &allocator, {outputs[0], outputs[1], outputs[2], outputs[3], outputs[4]});
    if (status.code == GpuStatus::kInvalidTriangleId) {
      int id = 0;
      const GpuStatus copied = CopyToHost(
          &id, ids.flat<int32_t>().data() + status.pixel, sizeof(id), stream);
      OP_REQUIRES(context, copied.ok(), CudaFailed(copied));
      OP_REQUIRES_OK(context, InvalidTriangleId(in, status.pixel, id));
    }
    OP_REQUIRES_OK(context, ToStatus<T>(context, status, in));
  }

 private:
  Options options_;
  int mipmaps_;
  bool wants_uv_;
};

#define REGISTER_KERNELS(T)                                   \
  REGISTER_KERNEL_BUILDER(Name("TfUnsup3d>RenderMesh")        \
                              .Device(tensorflow::DEVICE_GPU) \
                              .TypeConstraint<T>("T"),        \
                          RenderMeshGpuOp<T>);                \
  REGISTER_KERNEL_BUILDER(Name("TfUnsup3d>RenderMeshGrad")    \
                              .Device(tensorflow::DEVICE_GPU) \
                              .TypeConstraint<T>("T"),        \
                          RenderMeshGradGpuOp<T>)

REGISTER_KERNELS(float);
REGISTER_KERNELS(double);

#undef REGISTER_KERNELS

}  // namespace
}  // namespace unsup3d
