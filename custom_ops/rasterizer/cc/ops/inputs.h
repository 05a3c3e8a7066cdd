// The inputs and attributes of the ops: reading, checking, and as plain arrays.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_OPS_INPUTS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_OPS_INPUTS_H_

#include <cstdint>
#include <functional>

#include "core/affine.h"
#include "core/scene.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace unsup3d {

// Calls `work(i)` for all 0 <= i < count, on the threads of the processor.
void ParallelFor(tensorflow::OpKernelContext* context, int64_t count,
                 const std::function<void(int64_t)>& work);

// The inputs common to all ops, as tensors and as sizes, and the picture's size.
struct SurfaceInputs {
  const tensorflow::Tensor *vertices, *triangles, *neighbors;
  int64_t batch, vertex_count;
  int triangle_count, height, width;
};

// With what the ops that draw have besides.
struct Inputs : SurfaceInputs {
  const tensorflow::Tensor *uv, *uv_triangles, *texture, *attributes, *background;
  int64_t uv_count;
  int texture_height, texture_width, texture_channels, attribute_channels, channels;
};

// The inputs of RasterizeMeshGrad.
struct ListInputs : SurfaceInputs {
  const tensorflow::Tensor *barycentric_gradient, *depth_gradient, *weight_gradient,
      *pixels, *ids;
  int64_t count;  // of fragments
};

// Reads the inputs from `first` on and checks their shapes, wherever their values
// are stored. The picture's size is not among the surface's inputs.
absl::Status ReadSurface(tensorflow::OpKernelContext* context, int first,
                         SurfaceInputs* inputs);
absl::Status ReadInputs(tensorflow::OpKernelContext* context, int first,
                        Inputs* inputs);

// Reads the picture's size from the inputs `first`, its height, and the next one, its
// width. They must be in main memory.
absl::Status ReadSize(tensorflow::OpKernelContext* context, int first,
                      SurfaceInputs* inputs);
absl::Status ReadListInputs(tensorflow::OpKernelContext* context, ListInputs* inputs);

// Checks indices, and that vertices and UVs are finite. For values in main memory.
template <typename T>
absl::Status CheckValues(tensorflow::OpKernelContext* context,
                         const SurfaceInputs& inputs);
template <typename T>
absl::Status CheckValues(tensorflow::OpKernelContext* context, const Inputs& inputs);

// Checks the shapes of what the gradient alone takes.
absl::Status CheckGradientShapes(const Inputs& inputs,
                                 const tensorflow::Tensor& picture_gradient,
                                 const tensorflow::Tensor& ids);

// The shape of the gradient with respect to the UVs, none of which may be wanted.
inline tensorflow::TensorShape UvGradientShape(const Inputs& inputs, bool wants_uv) {
  return wants_uv ? inputs.uv->shape() : tensorflow::TensorShape({0, 2});
}

// The error that a pixel, counted through the batch, has the index of a triangle which
// is not drawn there.
absl::Status InvalidTriangleId(const Inputs& inputs, int64_t pixel, int id);

// The error that an input, triangle_ids or pixels, does not belong to the vertices at a
// pixel, counted through the batch.
absl::Status NotOfVertices(const SurfaceInputs& inputs, const char* name,
                           int64_t pixel);
// And that some pixels are those of no picture.
absl::Status PixelsOutside();

absl::Status ReadOptions(tensorflow::OpKernelConstruction* construction,
                         Options* options);

// Reads the points and matrices of TransformPoints and checks their shapes.
template <typename T>
absl::Status ReadAffineMaps(tensorflow::OpKernelContext* context, AffineMaps<T>* maps);

// The inputs of the first picture of the batch.
template <typename T>
Surface<T> MakeSurface(const SurfaceInputs& in) {
  return {in.vertices->flat<T>().data(),
          in.triangles->flat<int32_t>().data(),
          in.neighbors->flat<int32_t>().data(),
          in.vertex_count,
          in.triangle_count,
          in.height,
          in.width};
}

template <typename T>
Scene<T> MakeScene(const Inputs& in) {
  const Material<T> material = {in.triangles->flat<int32_t>().data(),
                                in.uv_triangles->flat<int32_t>().data(),
                                in.uv->flat<T>().data(),
                                in.texture->flat<T>().data(),
                                in.attributes->flat<T>().data(),
                                in.texture_height,
                                in.texture_width,
                                in.texture_channels,
                                in.attribute_channels};
  return {MakeSurface<T>(in), material, in.background->flat<T>().data(), in.uv_count,
          in.channels};
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_OPS_INPUTS_H_
