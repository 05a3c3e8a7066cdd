// The inputs and attributes of the ops: reading, checking, and as plain arrays.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_INPUTS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_INPUTS_H_

#include <cstdint>

#include "scene.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace unsup3d {

// The inputs common to both ops, as tensors and as sizes.
struct Inputs {
  const tensorflow::Tensor *vertices, *triangles, *neighbors, *uv, *uv_triangles,
      *texture, *attributes, *background;
  int64_t batch, vertex_count, uv_count;
  int triangle_count, height, width, texture_height, texture_width,
      texture_channels, attribute_channels, channels;
};

// Reads the inputs from `first` on and checks their shapes, wherever their values
// are stored.
absl::Status ReadInputs(tensorflow::OpKernelContext* context, int first,
                        Inputs* inputs);

// Checks indices, and that vertices and UVs are finite. For values in main memory.
template <typename T>
absl::Status CheckValues(const Inputs& inputs);

absl::Status ReadOptions(tensorflow::OpKernelConstruction* construction,
                         Options* options);

// The inputs of one picture of the batch.
template <typename T>
Scene<T> MakeScene(const Inputs& in, int64_t picture) {
  const auto part = [&](const tensorflow::Tensor& tensor) {
    return tensor.flat<T>().data() + picture * (tensor.NumElements() / in.batch);
  };
  const Material<T> material = {in.triangles->flat<int32_t>().data(),
                                in.uv_triangles->flat<int32_t>().data(),
                                in.uv->flat<T>().data(),
                                part(*in.texture),
                                part(*in.attributes),
                                in.texture_height,
                                in.texture_width,
                                in.texture_channels,
                                in.attribute_channels};
  return {part(*in.vertices), in.neighbors->flat<int32_t>().data(),
          material,           part(*in.background),
          in.vertex_count,    in.uv_count,
          in.triangle_count,  in.height,
          in.width,           in.channels};
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_INPUTS_H_
