// CPU kernels of RenderMesh and RenderMeshGrad.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "bands.h"
#include "cpu_kernels.h"
#include "differentiate.h"
#include "draw.h"
#include "inputs.h"
#include "mesh.h"
#include "scene.h"
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
  explicit RenderMeshOp(OpKernelConstruction* construction)
      : OpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadOptions(construction, &options_));
  }

  void Compute(OpKernelContext* context) override {
    Inputs in;
    OP_REQUIRES_OK(context, ReadInputs(context, 0, &in));
    OP_REQUIRES_OK(context, CheckValues<T>(in));
    Tensor *picture = nullptr, *ids = nullptr;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, in.background->shape(), &picture));
    OP_REQUIRES_OK(context, context->allocate_output(
                                1, TensorShape({in.batch, in.height, in.width}),
                                &ids));
    Tensor depths;
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_DOUBLE,
                                                   ids->shape(), &depths));
    const std::vector<Mesh<T>> meshes = MakeMeshes<T>(context, in, options_);
    const Bands bands(in.batch, in.height);
    const int64_t pixels = static_cast<int64_t>(in.height) * in.width;
    ParallelFor(context, bands.units(), [&](int64_t unit) {
      const int64_t b = bands.picture(unit);
      DrawBand(MakeScene<T>(in).Skip(b), meshes[b], options_, bands.begin(unit),
               bands.end(unit), ids->flat<int32_t>().data() + b * pixels,
               depths.flat<double>().data() + b * pixels,
               picture->flat<T>().data() + b * pixels * in.channels);
    });
  }

 private:
  Options options_;
};

template <typename T>
class RenderMeshGradOp : public OpKernel {
 public:
  explicit RenderMeshGradOp(OpKernelConstruction* construction)
      : OpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadOptions(construction, &options_));
  }

  void Compute(OpKernelContext* context) override {
    Inputs in;
    OP_REQUIRES_OK(context, ReadInputs(context, 2, &in));
    OP_REQUIRES_OK(context, CheckValues<T>(in));
    const Tensor& picture_gradient = context->input(0);
    const Tensor& ids = context->input(1);
    OP_REQUIRES_OK(context, CheckGradientShapes(in, picture_gradient, ids));
    Tensor *vertices = nullptr, *uv = nullptr, *texture = nullptr,
           *attributes = nullptr, *background = nullptr;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, in.vertices->shape(), &vertices));
    OP_REQUIRES_OK(context, context->allocate_output(1, in.uv->shape(), &uv));
    OP_REQUIRES_OK(context,
                   context->allocate_output(2, in.texture->shape(), &texture));
    OP_REQUIRES_OK(context,
                   context->allocate_output(3, in.attributes->shape(), &attributes));
    OP_REQUIRES_OK(context,
                   context->allocate_output(4, in.background->shape(), &background));

    const Bands bands(in.batch, in.height);
    const int64_t units = bands.units();
    const int64_t pixels = static_cast<int64_t>(in.height) * in.width;
    const int64_t texture_size = static_cast<int64_t>(in.texture_height) *
                                 in.texture_width * in.texture_channels;
    const int64_t attributes_size = in.vertex_count * in.attribute_channels;
    const auto dtype = tensorflow::DataTypeToEnum<T>::value;
    Tensor depths, unit_vertices, unit_uv, unit_texture, unit_attributes;
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_DOUBLE, ids.shape(),
                                                   &depths));
    OP_REQUIRES_OK(context, context->allocate_temp(
                                tensorflow::DT_DOUBLE,
                                TensorShape({units, in.vertex_count, 3}),
                                &unit_vertices));
    OP_REQUIRES_OK(context, context->allocate_temp(
                                tensorflow::DT_DOUBLE,
                                TensorShape({units, in.uv_count, 2}), &unit_uv));
    // With one band to a picture its unit adds to the output directly.
    if (bands.count() == 1) {
      unit_texture = *texture;
      unit_attributes = *attributes;
    } else {
      OP_REQUIRES_OK(context, context->allocate_temp(
                                  dtype, TensorShape({units, texture_size}),
                                  &unit_texture));
      OP_REQUIRES_OK(context, context->allocate_temp(
                                  dtype, TensorShape({units, attributes_size}),
                                  &unit_attributes));
    }

    const std::vector<Mesh<T>> meshes = MakeMeshes<T>(context, in, options_);
    std::vector<int64_t> wrong_pixels(units);
    ParallelFor(context, units, [&](int64_t unit) {
      const int64_t b = bands.picture(unit);
      const Gradients<T> gradients = {
          reinterpret_cast<Vertex<Real>*>(unit_vertices.flat<double>().data()) +
              unit * in.vertex_count,
          unit_uv.flat<double>().data() + unit * in.uv_count * 2,
          unit_texture.flat<T>().data() + unit * texture_size,
          unit_attributes.flat<T>().data() + unit * attributes_size};
      std::fill_n(gradients.vertices, in.vertex_count, Vertex<Real>{0, 0, 0});
      std::fill_n(gradients.uv, in.uv_count * 2, Real(0));
      std::fill_n(gradients.texture, texture_size, T(0));
      std::fill_n(gradients.attributes, attributes_size, T(0));
      wrong_pixels[unit] = DifferentiateBand(
          MakeScene<T>(in).Skip(b), meshes[b], options_, bands.begin(unit),
          bands.end(unit),
          picture_gradient.flat<T>().data() + b * pixels * in.channels,
          ids.flat<int32_t>().data() + b * pixels,
          depths.flat<double>().data() + b * pixels, gradients,
          background->flat<T>().data() + b * pixels * in.channels);
    });
    for (int64_t unit = 0; unit < units; ++unit) {
      if (wrong_pixels[unit] < 0) continue;
      const int64_t i = bands.picture(unit) * pixels + wrong_pixels[unit];
      OP_REQUIRES_OK(context, InvalidTriangleId(in, i, ids.flat<int32_t>()(i)));
    }

    ParallelFor(context, in.batch, [&](int64_t b) {
      const int64_t vertices_size = in.vertex_count * 3;
      SumParts(
          unit_vertices.flat<double>().data() + b * bands.count() * vertices_size,
          bands.count(), vertices_size,
          vertices->flat<T>().data() + b * vertices_size);
      if (bands.count() > 1) {
        SumParts(unit_texture.flat<T>().data() + b * bands.count() * texture_size,
                 bands.count(), texture_size,
                 texture->flat<T>().data() + b * texture_size);
        SumParts(
            unit_attributes.flat<T>().data() + b * bands.count() * attributes_size,
            bands.count(), attributes_size,
            attributes->flat<T>().data() + b * attributes_size);
      }
    });
    SumParts(unit_uv.flat<double>().data(), units, in.uv_count * 2,
             uv->flat<T>().data());
  }

 private:
  Options options_;
};

#define REGISTER_KERNELS(T)                                              \
  REGISTER_KERNEL_BUILDER(Name("RenderMesh")                             \
                              .Device(tensorflow::DEVICE_CPU)            \
                              .TypeConstraint<T>("T"),                   \
                          RenderMeshOp<T>);                              \
  REGISTER_KERNEL_BUILDER(Name("RenderMeshGrad")                         \
                              .Device(tensorflow::DEVICE_CPU)            \
                              .TypeConstraint<T>("T"),                   \
                          RenderMeshGradOp<T>)

REGISTER_KERNELS(float);
REGISTER_KERNELS(double);

#undef REGISTER_KERNELS

}  // namespace
}  // namespace unsup3d
