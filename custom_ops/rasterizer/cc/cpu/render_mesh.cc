// CPU kernels of RenderMesh and RenderMeshGrad.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/bands.h"
#include "core/differentiate.h"
#include "core/draw.h"
#include "core/mesh.h"
#include "core/picture_inputs.h"
#include "core/sparse_sums.h"
#include "cpu/op_kernels.h"
#include "ops/inputs.h"
#include "ops/parallel_for.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace unsup3d {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;

template <typename T>
class RenderMeshOp : public OpKernel {
 public:
  explicit RenderMeshOp(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadOptions(construction, &options_));
    OP_REQUIRES_OK(construction, ReadMipmaps(construction, &mipmaps_));
  }

  void Compute(OpKernelContext* context) override {
    RenderMeshInputs in;
    OP_REQUIRES_OK(context, ReadRenderMeshInputs(context, 0, mipmaps_, &in));
    OP_REQUIRES_OK(context, CheckValues<T>(context, in));
    Tensor *picture = nullptr, *ids = nullptr;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, in.background->shape(), &picture));
    OP_REQUIRES_OK(context, context->allocate_output(
                                1, TensorShape({in.batch, in.height, in.width}), &ids));
    const Bands bands(in.batch, in.height);
    const std::vector<Mesh<T>> meshes =
        MakeMeshes<T>(context, in, options_, bands, MeshUse::kDraw);
    const int64_t pixels = static_cast<int64_t>(in.height) * in.width;
    ParallelFor(context, bands.units(), [&](int64_t unit) {
      const int64_t b = bands.picture(unit);
      DrawBand(MakePictureInputs<T>(in).Skip(b), meshes[b], options_, bands.band(unit),
               ids->flat<int32_t>().data() + b * pixels,
               picture->flat<T>().data() + b * pixels * in.channels);
    });
  }

 private:
  Options options_;
  int mipmaps_;
};

template <typename T>
class RenderMeshGradOp : public OpKernel {
 public:
  explicit RenderMeshGradOp(OpKernelConstruction* construction)
      : OpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadOptions(construction, &options_));
    OP_REQUIRES_OK(construction, ReadMipmaps(construction, &mipmaps_));
    OP_REQUIRES_OK(construction, construction->GetAttr("wants_uv", &wants_uv_));
  }

  void Compute(OpKernelContext* context) override {
    RenderMeshInputs in;
    OP_REQUIRES_OK(context, ReadRenderMeshInputs(context, 2, mipmaps_, &in));
    OP_REQUIRES_OK(context, CheckValues<T>(context, in));
    const Tensor& picture_gradient = context->input(0);
    const Tensor& ids = context->input(1);
    OP_REQUIRES_OK(context, CheckGradientShapes(in, picture_gradient, ids));
    Tensor *vertices = nullptr, *uv = nullptr, *texture = nullptr,
           *attributes = nullptr, *background = nullptr;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, in.vertices->shape(), &vertices));
    OP_REQUIRES_OK(context,
                   context->allocate_output(1, UvGradientShape(in, wants_uv_), &uv));
    OP_REQUIRES_OK(context, context->allocate_output(2, in.texture->shape(), &texture));
    OP_REQUIRES_OK(context,
                   context->allocate_output(3, in.attributes->shape(), &attributes));
    OP_REQUIRES_OK(context,
                   context->allocate_output(4, in.background->shape(), &background));

    const Bands bands(in.batch, in.height);
    const int64_t units = bands.units();
    const int64_t pixels = static_cast<int64_t>(in.height) * in.width;
    const PictureInputs<T> inputs = MakePictureInputs<T>(in);
    const std::vector<Mesh<T>> meshes =
        MakeMeshes<T>(context, in, options_, bands, MeshUse::kDifferentiate);
    std::vector<BandGradients<T>> gradients(units);
    std::vector<int64_t> wrong_pixels(units);
    ParallelFor(context, units, [&](int64_t unit) {
      const int64_t b = bands.picture(unit);
      gradients[unit] = BandGradients<T>(inputs, wants_uv_);
      wrong_pixels[unit] = DifferentiateBand(
          inputs.Skip(b), meshes[b], options_, bands.band(unit),
          picture_gradient.flat<T>().data() + b * pixels * in.channels,
          ids.flat<int32_t>().data() + b * pixels, &gradients[unit],
          background->flat<T>().data() + b * pixels * in.channels);
    });
    for (int64_t unit = 0; unit < units; ++unit) {
      if (wrong_pixels[unit] < 0) continue;
      const int64_t i = bands.picture(unit) * pixels + wrong_pixels[unit];
      OP_REQUIRES_OK(context, InvalidTriangleId(in, i, ids.flat<int32_t>()(i)));
    }
    WriteSums(context, gradients, &BandGradients<T>::vertices, in.batch,
              in.vertex_count, 3, vertices->flat<T>().data());
    if (wants_uv_) {
      // All pictures share the UVs.
      WriteSums(context, gradients, &BandGradients<T>::uv, 1, in.uv_count, 2,
                uv->flat<T>().data());
    }
    WriteSums(context, gradients, &BandGradients<T>::texture, in.batch,
              inputs.texel_count(), in.texture_channels, texture->flat<T>().data());
    WriteSums(context, gradients, &BandGradients<T>::attributes, in.batch,
              in.vertex_count, in.attribute_channels, attributes->flat<T>().data());
  }

 private:
  Options options_;
  int mipmaps_;
  bool wants_uv_;
};

#define REGISTER_KERNELS(T)                                   \
  REGISTER_KERNEL_BUILDER(Name("TfUnsup3d>RenderMesh")        \
                              .Device(tensorflow::DEVICE_CPU) \
                              .TypeConstraint<T>("T"),        \
                          RenderMeshOp<T>);                   \
  REGISTER_KERNEL_BUILDER(Name("TfUnsup3d>RenderMeshGrad")    \
                              .Device(tensorflow::DEVICE_CPU) \
                              .TypeConstraint<T>("T"),        \
                          RenderMeshGradOp<T>)

REGISTER_KERNELS(float);
REGISTER_KERNELS(double);

#undef REGISTER_KERNELS

}  // namespace
}  // namespace unsup3d
