// GPU kernels of RenderMesh and RenderMeshGrad: what TensorFlow sees of
// rasterize_gpu.h.

#define EIGEN_USE_GPU  // for Eigen::GpuDevice

#include "rasterize_gpu.h"

#include <cstdint>
#include <list>
#include <vector>

#include "inputs.h"
#include "scene.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "unsupported/Eigen/CXX11/Tensor"

namespace unsup3d {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;

GpuStream StreamOf(OpKernelContext* context) {
  return context->eigen_gpu_device().stream();
}

// TensorFlow's memory is freed in the order of the stream: not before the queued work
// is done.
class TensorAllocator : public GpuAllocator {
 public:
  explicit TensorAllocator(OpKernelContext* context) : context_(context) {}

  void* Allocate(int64_t bytes) override {
    Tensor tensor;
    if (!context_->allocate_temp(tensorflow::DT_UINT8, TensorShape({bytes}), &tensor)
             .ok()) {
      return nullptr;
    }
    tensors_.push_back(tensor);
    return tensor.data();
  }

 private:
  OpKernelContext* context_;
  std::vector<Tensor> tensors_;
};

// Copies the values to main memory, to say what is wrong with them as for the CPU.
template <typename T>
absl::Status ExplainInvalidValues(OpKernelContext* context, const Inputs& in,
                                  GpuStream stream) {
  Inputs on_host = in;
  std::list<Tensor> copies;
  for (const Tensor** tensor : {&on_host.triangles, &on_host.uv_triangles,
                                &on_host.neighbors, &on_host.vertices, &on_host.uv}) {
    copies.emplace_back((*tensor)->dtype(), (*tensor)->shape());
    CopyToHost(copies.back().data(), (*tensor)->data(), (*tensor)->TotalBytes(),
               stream);
    *tensor = &copies.back();
  }
  return CheckValues<T>(context, on_host);
}

// `ids` only matters where it is an input.
template <typename T>
absl::Status ToStatus(OpKernelContext* context, const GpuStatus& status,
                      const Inputs& in, const Tensor& ids, GpuStream stream) {
  switch (status.code) {
    case GpuStatus::kOk:
      return absl::OkStatus();
    case GpuStatus::kInvalidValues:
      return ExplainInvalidValues<T>(context, in, stream);
    case GpuStatus::kInvalidTriangleId: {
      int id = 0;
      CopyToHost(&id, ids.flat<int32_t>().data() + status.pixel, sizeof(id), stream);
      return InvalidTriangleId(in, status.pixel, id);
    }
    case GpuStatus::kOutOfMemory:
      return tensorflow::errors::ResourceExhausted(
          "no memory of the GPU is left for the rasteriser");
    case GpuStatus::kCudaError:
      break;
  }
  return tensorflow::errors::Internal("the rasteriser's CUDA kernels failed: ",
                                      status.message);
}

template <typename T>
class RenderMeshGpuOp : public OpKernel {
 public:
  explicit RenderMeshGpuOp(OpKernelConstruction* construction)
      : OpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadOptions(construction, &options_));
  }

  void Compute(OpKernelContext* context) override {
    Inputs in;
    OP_REQUIRES_OK(context, ReadInputs(context, 0, &in));
    Tensor *picture = nullptr, *ids = nullptr;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, in.background->shape(), &picture));
    OP_REQUIRES_OK(context, context->allocate_output(
                                1, TensorShape({in.batch, in.height, in.width}),
                                &ids));
    TensorAllocator allocator(context);
    const GpuStream stream = StreamOf(context);
    const GpuStatus status = DrawOnGpu<T>(
        {MakeScene<T>(in), in.batch}, options_, stream, &allocator,
        picture->flat<T>().data(), ids->flat<int32_t>().data());
    OP_REQUIRES_OK(context, ToStatus<T>(context, status, in, *ids, stream));
  }

 private:
  Options options_;
};

template <typename T>
class RenderMeshGradGpuOp : public OpKernel {
 public:
  explicit RenderMeshGradGpuOp(OpKernelConstruction* construction)
      : OpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadOptions(construction, &options_));
  }

  void Compute(OpKernelContext* context) override {
    Inputs in;
    OP_REQUIRES_OK(context, ReadInputs(context, 2, &in));
    const Tensor& picture_gradient = context->input(0);
    const Tensor& ids = context->input(1);
    OP_REQUIRES_OK(context, CheckGradientShapes(in, picture_gradient, ids));
    const Tensor* const inputs[] = {in.vertices, in.uv, in.texture, in.attributes,
                                    in.background};
    T* outputs[5];
    for (int k = 0; k < 5; ++k) {
      Tensor* output = nullptr;
      OP_REQUIRES_OK(context,
                     context->allocate_output(k, inputs[k]->shape(), &output));
      outputs[k] = output->flat<T>().data();
    }
    TensorAllocator allocator(context);
    const GpuStream stream = StreamOf(context);
    const GpuStatus status = DifferentiateOnGpu<T>(
        {MakeScene<T>(in), in.batch}, options_, picture_gradient.flat<T>().data(),
        ids.flat<int32_t>().data(), stream, &allocator,
        {outputs[0], outputs[1], outputs[2], outputs[3], outputs[4]});
    OP_REQUIRES_OK(context, ToStatus<T>(context, status, in, ids, stream));
  }

 private:
  Options options_;
};

#define REGISTER_KERNELS(T)                                              \
  REGISTER_KERNEL_BUILDER(Name("RenderMesh")                             \
                              .Device(tensorflow::DEVICE_GPU)            \
                              .TypeConstraint<T>("T"),                   \
                          RenderMeshGpuOp<T>);                           \
  REGISTER_KERNEL_BUILDER(Name("RenderMeshGrad")                         \
                              .Device(tensorflow::DEVICE_GPU)            \
                              .TypeConstraint<T>("T"),                   \
                          RenderMeshGradGpuOp<T>)

REGISTER_KERNELS(float);
REGISTER_KERNELS(double);

#undef REGISTER_KERNELS

}  // namespace
}  // namespace unsup3d
