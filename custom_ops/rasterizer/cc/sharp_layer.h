// The sharp layer: the nearest triangle at each pixel centre.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_SHARP_LAYER_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_SHARP_LAYER_H_

#include <algorithm>
#include <cstdint>
#include <limits>

#include "fragments.h"
#include "geometry.h"
#include "mesh.h"
#include "pixel_range.h"

namespace unsup3d {

// Draws the rows begin .. end of `ids` and `depths`, both [height, width]: the
// triangles, kSharp where there is none, and their depths, infinite there.
template <typename T>
void DrawSharp(const Mesh<T>& mesh, int begin, int end, int width, int* ids,
               Real* depths) {
  const int64_t first = static_cast<int64_t>(begin) * width;
  const int64_t last = static_cast<int64_t>(end) * width;
  std::fill(ids + first, ids + last, kSharp);
  std::fill(depths + first, depths + last, std::numeric_limits<Real>::infinity());
  for (const auto& [f, footprint] : mesh.drawn()) {
    const PixelRange rows = Intersect(footprint.rows, {begin, end});
    if (rows.empty()) continue;
    Vertex<Real> corners[3];
    mesh.view().Corners(f, corners);
    for (int y = rows.begin; y < rows.end; ++y) {
      for (int x = footprint.columns.begin; x < footprint.columns.end; ++x) {
        SurfacePoint<Real> point;
        if (!CoverPixel(corners, x + 0.5, y + 0.5, &point)) continue;
        const int64_t i = static_cast<int64_t>(y) * width + x;
        // Triangles come in ascending order: of equally near ones the first stays.
        if (point.depth < depths[i]) {
          depths[i] = point.depth;
          ids[i] = f;
        }
      }
    }
  }
}

// Finds the depths that DrawSharp found with `ids`. Returns the first pixel whose
// index is that of no triangle drawn there, or -1 if there is none.
template <typename T>
int64_t FindDepths(const Surface<T>& surface, const Mesh<T>& mesh, int begin, int end,
                   const int* ids, Real* depths) {
  for (int y = begin; y < end; ++y) {
    for (int x = 0; x < surface.width; ++x) {
      const int64_t i = static_cast<int64_t>(y) * surface.width + x;
      depths[i] = std::numeric_limits<Real>::infinity();
      if (ids[i] == kSharp) continue;
      SurfacePoint<Real> point;
      if (ids[i] < 0 || ids[i] >= surface.triangle_count ||
          !mesh.view().Cover(ids[i], x + 0.5, y + 0.5, &point)) {
        return i;
      }
      depths[i] = point.depth;
    }
  }
  return -1;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_SHARP_LAYER_H_
