// One picture's inputs as plain arrays, and how it is to be drawn.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_SCENE_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_SCENE_H_

#include <cstdint>

#include "shading.h"

namespace unsup3d {

// On the processor everything is computed in double precision, for float inputs too.
using Real = double;

// What there is to be seen in a picture, and the size of that. All indices are valid,
// vertices are finite.
template <typename T>
struct Surface {
  const T* vertices;     // [vertex_count, 3], homogeneous pixel coordinates
  const int* triangles;  // [triangle_count, 3]
  const int* neighbors;  // [triangle_count, 3], -1 for none
  int64_t vertex_count;
  int triangle_count, height, width;
};

// And what it looks like. UVs are finite.
template <typename T>
struct Scene : Surface<T> {
  Material<T> material;
  const T* background;  // [height, width, channels]
  int64_t uv_count;
  int channels;

  int64_t texture_size() const {
    return static_cast<int64_t>(material.texture_height) * material.texture_width *
           material.texture_channels;
  }
  int64_t attributes_size() const {
    return this->vertex_count * material.attribute_channels;
  }
};

// The attributes of the ops.
struct Options {
  float margin;      // of the soft layer in pixels, 0 for none
  float depth_push;  // how far, relative to its depth, the soft layer recedes
  bool cull_backfaces;
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_SCENE_H_
