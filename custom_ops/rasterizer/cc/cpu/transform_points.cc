// CPU kernel of TransformPoints.

#include <algorithm>
#include <cstdint>

#include "core/affine.h"
#include "ops/inputs.h"
#include "ops/parallel_for.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace unsup3d {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

template <typename T>
class TransformPointsOp : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    AffineMaps<T> maps;
    OP_REQUIRES_OK(context, ReadAffineMaps(context, &maps));
    Tensor* result = nullptr;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, context->input(0).shape(), &result));
    T* const target = result->flat<T>().data();
    constexpr int64_t kPart = 1 << 13;                       // points in a unit of work
    const int64_t parts = (maps.count + kPart - 1) / kPart;  // for each picture
    ParallelFor(context, maps.size * parts, [&](int64_t i) {
      const int64_t picture = i / parts;
      const int64_t begin = i % parts * kPart;
      const int64_t end = std::min(begin + kPart, maps.count);
      // In a copy, which cannot alias the results, the matrix stays in registers.
      T matrix[12];
      std::copy_n(maps.matrix(picture), 12, matrix);
      for (int64_t k = picture * maps.count + begin; k < picture * maps.count + end;
           ++k) {
        TransformPoint(matrix, maps.points + 3 * k, target + 3 * k);
      }
    });
  }
};

#define REGISTER_KERNELS(T)                                   \
  REGISTER_KERNEL_BUILDER(Name("TfUnsup3d>TransformPoints")   \
                              .Device(tensorflow::DEVICE_CPU) \
                              .TypeConstraint<T>("T"),        \
                          TransformPointsOp<T>)

REGISTER_KERNELS(float);
REGISTER_KERNELS(double);

#undef REGISTER_KERNELS

}  // namespace
}  // namespace unsup3d
