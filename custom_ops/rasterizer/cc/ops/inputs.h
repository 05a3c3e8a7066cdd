// Reads and checks the inputs and attributes of the ops, and makes plain arrays of
// them.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_OPS_INPUTS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_OPS_INPUTS_H_

#include <cstdint>

#include "core/affine.h"
#include "core/picture_inputs.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace unsup3d {

// The inputs that describe a surface, as tensors and as sizes, and the picture's size.
struct SurfaceInputs {
  const tensorflow::Tensor *vertices, *triangles, *neighbors;
  int64_t batch, vertex_count;
  int triangle_count, height, width;
};

// The inputs that RenderMesh and RenderMeshGrad share: a surface, what it looks like,
// and what lies behind it.
struct RenderMeshInputs : SurfaceInputs {
  const tensorflow::Tensor *uv, *uv_triangles, *texture, *attributes, *background;
  int64_t uv_count;
  TextureLevels texture_levels;
  int texture_channels, attribute_channels, channels;
};

// The inputs of RasterizeMeshGrad.
struct FragmentListInputs : SurfaceInputs {
  const tensorflow::Tensor *barycentric_gradient, *depth_gradient, *weight_gradient,
      *pixels, *ids;
  int64_t count;  // number of fragments
};

// Read the inputs of which `first` is the first one, and check their shapes. The values
// may be in the memory of any device. The inputs of a surface do not include the
// picture's size. The texture holds `mipmaps`, see core/mipmaps.h.
absl::Status ReadSurface(tensorflow::OpKernelContext* context, int first,
                         SurfaceInputs* inputs);
absl::Status ReadRenderMeshInputs(tensorflow::OpKernelContext* context, int first,
                                  int mipmaps, RenderMeshInputs* inputs);

// Reads the picture's height from the input `first` and its width from the next one.
// Both must be in main memory.
absl::Status ReadSize(tensorflow::OpKernelContext* context, int first,
                      SurfaceInputs* inputs);

// Reads the inputs of RasterizeMeshGrad and checks their shapes, wherever the values
// are.
absl::Status ReadFragmentList(tensorflow::OpKernelContext* context,
                              FragmentListInputs* inputs);

// Check that indices are valid and that vertices and UVs are finite. The values must be
// in main memory.
template <typename T>
absl::Status CheckValues(tensorflow::OpKernelContext* context,
                         const SurfaceInputs& inputs);
template <typename T>
absl::Status CheckValues(tensorflow::OpKernelContext* context,
                         const RenderMeshInputs& inputs);

// Checks the shapes of the inputs that only RenderMeshGrad has.
absl::Status CheckGradientShapes(const RenderMeshInputs& inputs,
                                 const tensorflow::Tensor& picture_gradient,
                                 const tensorflow::Tensor& ids);

// The shape of the gradient with respect to the UVs, which is empty if it is not
// wanted.
inline tensorflow::TensorShape UvGradientShape(const RenderMeshInputs& inputs,
                                               bool wants_uv) {
  return wants_uv ? inputs.uv->shape() : tensorflow::TensorShape({0, 2});
}

// The error for a triangle index of a triangle that is not drawn at the pixel. Pixels
// are counted through the batch.
absl::Status InvalidTriangleId(const RenderMeshInputs& inputs, int64_t pixel, int id);

// The error for an input, triangle_ids or pixels, that contradicts the vertices at a
// pixel. Pixels are counted through the batch.
absl::Status DoesNotMatchVertices(const SurfaceInputs& inputs, const char* name,
                                  int64_t pixel);

// The error for fragments with pixels outside of all pictures.
absl::Status PixelsOutside();

// Reads and checks the attributes that are options for drawing.
absl::Status ReadOptions(tensorflow::OpKernelConstruction* construction,
                         Options* options);

// Reads and checks the number of mipmaps that the texture holds.
absl::Status ReadMipmaps(tensorflow::OpKernelConstruction* construction, int* mipmaps);

// Reads the points and matrices of TransformPoints and checks their shapes.
template <typename T>
absl::Status ReadAffineMaps(tensorflow::OpKernelContext* context, AffineMaps<T>* maps);

// The surface of the first picture of the batch.
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

// The inputs of the first picture of the batch.
template <typename T>
PictureInputs<T> MakePictureInputs(const RenderMeshInputs& in) {
  const Material<T> material = {in.triangles->flat<int32_t>().data(),
                                in.uv_triangles->flat<int32_t>().data(),
                                in.uv->flat<T>().data(),
                                in.texture->flat<T>().data(),
                                in.attributes->flat<T>().data(),
                                in.texture_levels,
                                in.texture_channels,
                                in.attribute_channels};
  return {MakeSurface<T>(in), material, in.background->flat<T>().data(), in.uv_count,
          in.channels};
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_OPS_INPUTS_H_
