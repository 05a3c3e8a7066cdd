// The inputs of one picture as plain arrays, and the options for drawing it.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PICTURE_INPUTS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PICTURE_INPUTS_H_

#include <cstdint>

#include "core/shading.h"

namespace unsup3d {

// Everything is computed in double precision, even for float inputs.
using Real = double;

// The surface that a picture shows, and the picture's size. All indices are valid and
// all vertices finite.
template <typename T>
struct Surface {
  const T* vertices;     // [vertex_count, 3], homogeneous pixel coordinates
  const int* triangles;  // [triangle_count, 3]
  const int* neighbors;  // [triangle_count, 3], -1 for none
  int64_t vertex_count;
  int triangle_count, height, width;

  UNSUP3D_HOST_DEVICE int64_t pixels() const {
    return static_cast<int64_t>(height) * width;
  }

  // The surface of a later picture of a batch, `pictures` further on in the arrays.
  UNSUP3D_HOST_DEVICE Surface Skip(int64_t pictures) const {
    Surface surface = *this;
    surface.vertices += pictures * vertex_count * 3;
    return surface;
  }
};

// A surface, what it looks like and what lies behind it. All UVs are finite.
template <typename T>
struct PictureInputs : Surface<T> {
  Material<T> material;
  const T* background;  // [height, width, channels]
  int64_t uv_count;
  int channels;

  UNSUP3D_HOST_DEVICE int64_t texel_count() const {
    return static_cast<int64_t>(material.texture_levels.rows()) *
           material.texture_levels.width;
  }
  UNSUP3D_HOST_DEVICE int64_t texture_size() const {
    return texel_count() * material.texture_channels;
  }
  UNSUP3D_HOST_DEVICE int64_t attributes_size() const {
    return this->vertex_count * material.attribute_channels;
  }

  UNSUP3D_HOST_DEVICE PictureInputs Skip(int64_t pictures) const {
    PictureInputs inputs = {Surface<T>::Skip(pictures), material, background, uv_count,
                            channels};
    inputs.material.texture += pictures * texture_size();
    inputs.material.attributes += pictures * attributes_size();
    inputs.background += pictures * this->pixels() * channels;
    return inputs;
  }
};

// The attributes of the ops.
struct Options {
  float margin;      // of the soft layer in pixels, 0 for none
  float depth_push;  // how far the soft layer recedes, relative to its depth
  bool cull_backfaces;
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PICTURE_INPUTS_H_
