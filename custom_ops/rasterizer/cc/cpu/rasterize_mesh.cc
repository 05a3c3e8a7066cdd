// CPU kernels of RasterizeMesh and RasterizeMeshGrad.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/bands.h"
#include "core/fragment_list.h"
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
class RasterizeMeshOp : public OpKernel {
 public:
  explicit RasterizeMeshOp(OpKernelConstruction* construction)
      : OpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadOptions(construction, &options_));
  }

  void Compute(OpKernelContext* context) override {
    SurfaceInputs in;
    OP_REQUIRES_OK(context, ReadSurface(context, 0, &in));
    OP_REQUIRES_OK(context, ReadSize(context, 3, &in));
    OP_REQUIRES_OK(context, CheckValues<T>(context, in));
    Tensor* ids = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(
                                5, TensorShape({in.batch, in.height, in.width}), &ids));
    const Bands bands(in.batch, in.height);
    const std::vector<Mesh<T>> meshes =
        MakeMeshes<T>(context, in, options_, bands, MeshUse::kDraw);
    const int64_t pixels = static_cast<int64_t>(in.height) * in.width;
    std::vector<std::vector<Fragment>> lists(bands.units());
    ParallelFor(context, bands.units(), [&](int64_t unit) {
      const int64_t b = bands.picture(unit);
      lists[unit] =
          ListBand(MakeSurface<T>(in).Skip(b), meshes[b], options_, bands.band(unit),
                   ids->flat<int32_t>().data() + b * pixels);
    });

    std::vector<int64_t> starts(1, 0);
    for (const auto& list : lists) starts.push_back(starts.back() + list.size());
    const int64_t count = starts.back();
    Tensor *pixel = nullptr, *triangle = nullptr, *barycentric = nullptr,
           *depth = nullptr, *weight = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, {count}, &pixel));
    OP_REQUIRES_OK(context, context->allocate_output(1, {count}, &triangle));
    OP_REQUIRES_OK(context, context->allocate_output(2, {count, 3}, &barycentric));
    OP_REQUIRES_OK(context, context->allocate_output(3, {count}, &depth));
    OP_REQUIRES_OK(context, context->allocate_output(4, {count}, &weight));
    ParallelFor(context, bands.units(), [&](int64_t unit) {
      int64_t i = starts[unit];
      for (const Fragment& fragment : lists[unit]) {
        pixel->flat<int64_t>()(i) = bands.picture(unit) * pixels + fragment.pixel;
        triangle->flat<int32_t>()(i) = fragment.point.triangle;
        for (int k = 0; k < 3; ++k) {
          barycentric->flat<T>()(3 * i + k) =
              static_cast<T>(fragment.point.barycentric[k]);
        }
        depth->flat<T>()(i) = static_cast<T>(fragment.point.depth);
        weight->flat<T>()(i) = static_cast<T>(fragment.weight);
        ++i;
      }
    });
  }

 private:
  Options options_;
};

// The contribution of one band to the gradient of its picture.
struct BandVertices {
  SparseSums<Real> vertices;  // [vertices, 3]
};

template <typename T>
class RasterizeMeshGradOp : public OpKernel {
 public:
  explicit RasterizeMeshGradOp(OpKernelConstruction* construction)
      : OpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadOptions(construction, &options_));
  }

  void Compute(OpKernelContext* context) override {
    FragmentListInputs in;
    OP_REQUIRES_OK(context, ReadFragmentList(context, &in));
    OP_REQUIRES_OK(context, CheckValues<T>(context, in));
    Tensor* vertices = nullptr;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, in.vertices->shape(), &vertices));

    const Bands bands(in.batch, in.height);
    const int64_t units = bands.units();
    const int64_t pixels = static_cast<int64_t>(in.height) * in.width;
    const std::vector<Mesh<T>> meshes =
        MakeMeshes<T>(context, in, options_, bands, MeshUse::kDifferentiate);
    const int64_t* const list = in.pixels->flat<int64_t>().data();
    const auto list_from = [&](int64_t picture, int row) {
      const int64_t first = picture * pixels + int64_t{row} * in.width;
      return std::lower_bound(list, list + in.count, first) - list;
    };
    std::vector<BandVertices> band_gradients(units);
    std::vector<Mismatch> mismatches(units);
    ParallelFor(context, units, [&](int64_t unit) {
      const int64_t b = bands.picture(unit);
      const PixelRange rows = bands.rows(bands.band(unit));
      const int64_t start = list_from(b, rows.begin);
      const FragmentListGradient<T> gradients = {
          list + start,
          b * pixels,
          list_from(b, rows.end) - start,
          in.barycentric_gradient->flat<T>().data() + 3 * start,
          in.depth_gradient->flat<T>().data() + start,
          in.weight_gradient->flat<T>().data() + start};
      band_gradients[unit].vertices = SparseSums<Real>(in.vertex_count, 3);
      mismatches[unit] = DifferentiateList(
          MakeSurface<T>(in).Skip(b), meshes[b], options_, bands.band(unit), gradients,
          in.ids->flat<int32_t>().data() + b * pixels, &band_gradients[unit].vertices);
    });
    for (int64_t unit = 0; unit < units; ++unit) {
      const Mismatch& mismatch = mismatches[unit];
      if (mismatch.pixel < 0) continue;
      OP_REQUIRES_OK(
          context, DoesNotMatchVertices(in, mismatch.in_ids ? "triangle_ids" : "pixels",
                                        bands.picture(unit) * pixels + mismatch.pixel));
    }
    OP_REQUIRES(context, list_from(0, 0) == 0 && list_from(in.batch, 0) == in.count,
                PixelsOutside());
    WriteSums(context, band_gradients, &BandVertices::vertices, in.batch,
              in.vertex_count, 3, vertices->flat<T>().data());
  }

 private:
  Options options_;
};

#define REGISTER_KERNELS(T)                                   \
  REGISTER_KERNEL_BUILDER(Name("TfUnsup3d>RasterizeMesh")     \
                              .Device(tensorflow::DEVICE_CPU) \
                              .TypeConstraint<T>("T"),        \
                          RasterizeMeshOp<T>);                \
  REGISTER_KERNEL_BUILDER(Name("TfUnsup3d>RasterizeMeshGrad") \
                              .Device(tensorflow::DEVICE_CPU) \
                              .TypeConstraint<T>("T"),        \
                          RasterizeMeshGradOp<T>)

REGISTER_KERNELS(float);
REGISTER_KERNELS(double);

#undef REGISTER_KERNELS

}  // namespace
}  // namespace unsup3d
