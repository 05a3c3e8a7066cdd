// A block of triangles, each with a pixel, laid out for arithmetic on packs.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_TRIANGLE_BLOCK_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_TRIANGLE_BLOCK_H_

#include "core/geometry.h"
#include "core/mesh_view.h"
#include "core/pack.h"
#include "core/picture_inputs.h"

namespace unsup3d {

// The number of triangles in a block. It is large enough that the processor does not
// have to wait for values that were just stored.
constexpr int kBlock = 8 * kLanes;

class TriangleBlock {
 public:
  // Sets element i to a triangle of a mesh and the pixel centre (px, py).
  template <typename T>
  void Set(int i, const MeshView<T>& mesh, int triangle, Real px, Real py) {
    for (int k = 0; k < 3; ++k) {
      const T* vertex = mesh.vertices + 3 * int64_t{mesh.Corner(triangle, k)};
      for (int d = 0; d < 3; ++d) corners_[k][d][i] = vertex[d];
    }
    px_[i] = px;
    py_[i] = py;
  }

  // Copies the element `from` to element i.
  void Repeat(int from, int i) {
    for (int k = 0; k < 3; ++k) {
      for (int d = 0; d < 3; ++d) corners_[k][d][i] = corners_[k][d][from];
    }
    px_[i] = px_[from];
    py_[i] = py_[from];
  }

  // Loads the corners of kLanes triangles, starting with `first`, a multiple of kLanes.
  void Corners(int first, Vertex<Pack> corners[3]) const {
    for (int k = 0; k < 3; ++k) {
      corners[k] = {Pack::Load(corners_[k][0] + first),
                    Pack::Load(corners_[k][1] + first),
                    Pack::Load(corners_[k][2] + first)};
    }
  }
  Pack px(int first) const { return Pack::Load(px_ + first); }
  Pack py(int first) const { return Pack::Load(py_ + first); }

 private:
  alignas(64) Real corners_[3][3][kBlock];
  alignas(64) Real px_[kBlock], py_[kBlock];
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_TRIANGLE_BLOCK_H_
