// The sharp layer: the nearest triangle at each pixel centre.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_SHARP_LAYER_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_SHARP_LAYER_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/geometry.h"
#include "core/mesh.h"
#include "core/pack.h"
#include "core/pixel_layers.h"
#include "core/pixel_range.h"
#include "core/triangle_block.h"

namespace unsup3d {

// A block of pixels, each with a triangle that may cover it.
class CoverageBlock {
 public:
  bool full() const { return count_ == kBlock; }

  // Adds the pixel with the index `i`.
  template <typename T>
  void Add(int64_t i, const MeshView<T>& mesh, int triangle, Real px, Real py) {
    block_.Set(count_, mesh, triangle, px, py);
    pixels_[count_++] = i;
  }

  // Calls `visit(pixel, depth)` for all pixels in order and empties the block. The
  // depth is that of the triangle at the pixel. If the triangle does not cover the
  // pixel, it is a value that is not greater than kNearDepth.
  template <typename Visit>
  void Flush(Visit visit) {
    for (int i = count_; i % kLanes != 0; ++i) block_.Repeat(0, i);
    alignas(64) Real depths[kBlock];
    for (int i = 0; i < count_; i += kLanes) {
      Vertex<Pack> corners[3];
      Pack edges[3];
      block_.Corners(i, corners);
      EdgeFunctions(corners, block_.px(i), block_.py(i), edges);
      Select(IsWithin(edges), PointSeen(corners, edges).depth, Pack(0))
          .Store(depths + i);
    }
    for (int i = 0; i < count_; ++i) visit(pixels_[i], depths[i]);
    count_ = 0;
  }

 private:
  TriangleBlock block_;
  int64_t pixels_[kBlock];
  int count_ = 0;
};

// Draws a band of the sharp layer. `ids` and `depths`, both [rows of the band, width],
// receive the triangles and their depths: kSharp and infinity where there is none.
template <typename T>
void DrawSharp(const Mesh<T>& mesh, int band, int width, int* ids, Real* depths) {
  const PixelRange band_rows = mesh.bands().rows(band);
  const int height = band_rows.end - band_rows.begin;
  // Adjacent pixels of a row are drawn in packs. The last pack may extend beyond the
  // row. Triangle indices are stored as Real, which represents them exactly.
  const int packs = (width + kLanes - 1) / kLanes;
  const int stride = packs * kLanes;
  std::vector<Pack> nearest(static_cast<size_t>(height) * packs, Pack(kSharp));
  std::vector<Pack> nearest_depths(nearest.size(),
                                   Pack(std::numeric_limits<Real>::infinity()));
  std::vector<Pack> centres(packs);
  for (int x = 0; x < stride; ++x) centres[x / kLanes].lanes[x % kLanes] = x + 0.5;
  mesh.VisitTriangles(band, [&](const Placed& placed) {
    const PixelRange rows = Intersect(placed.footprint.rows, band_rows);
    const PixelRange columns = placed.footprint.columns;
    Vertex<Real> single[3];
    mesh.view().Corners(placed.index, single);
    Vertex<Pack> corners[3];
    for (int k = 0; k < 3; ++k) corners[k] = {single[k].x, single[k].y, single[k].z};
    const Pack triangle(placed.index);
    for (int y = rows.begin; y < rows.end; ++y) {
      const size_t row = static_cast<size_t>(y - band_rows.begin) * packs;
      const Pack py(y + 0.5);
      for (int x = columns.begin / kLanes; x * kLanes < columns.end; ++x) {
        Pack edges[3];
        EdgeFunctions(corners, centres[x], py, edges);
        const Pack depth = PointSeen(corners, edges).depth;
        // Triangles come in ascending order, and of equally near ones the first is
        // kept. A depth that is NaN is not nearer. This is free of branches, since they
        // would be unpredictable for small triangles.
        const PackMask nearer = IsWithin(edges) & (depth > Pack(kNearDepth)) &
                                (depth < nearest_depths[row + x]);
        nearest_depths[row + x] = Select(nearer, depth, nearest_depths[row + x]);
        nearest[row + x] = Select(nearer, triangle, nearest[row + x]);
      }
    }
  });
  for (int y = 0; y < height; ++y) {
    const size_t row = static_cast<size_t>(y) * packs;
    for (int x = 0; x < width; ++x) {
      const size_t pack = row + x / kLanes;
      *ids++ = static_cast<int>(nearest[pack].lanes[x % kLanes]);
      *depths++ = nearest_depths[pack].lanes[x % kLanes];
    }
  }
}

// Finds the depths of the triangles `ids` that DrawSharp wrote. Returns the first pixel
// of the band whose index does not denote a triangle that is drawn there, or -1 if
// there is none.
template <typename T>
int64_t FindDepths(const Surface<T>& surface, const Mesh<T>& mesh, int band,
                   const int* ids, Real* depths) {
  const PixelRange rows = mesh.bands().rows(band);
  CoverageBlock block;
  int64_t wrong = -1;
  const auto flush = [&] {
    block.Flush([&](int64_t i, Real depth) {
      depths[i] = depth;
      if (!(depth > kNearDepth) && wrong < 0) wrong = i;
    });
  };
  int64_t i = 0;
  for (int y = rows.begin; y < rows.end; ++y) {
    for (int x = 0; x < surface.width; ++x, ++i) {
      depths[i] = std::numeric_limits<Real>::infinity();
      if (ids[i] == kSharp) continue;
      if (ids[i] < 0 || ids[i] >= surface.triangle_count ||
          !mesh.view().is_drawn(ids[i])) {
        flush();  // an earlier pixel in the block may be invalid as well
        return wrong < 0 ? i : wrong;
      }
      block.Add(i, mesh.view(), ids[i], x + 0.5, y + 0.5);
      if (block.full()) flush();
    }
  }
  flush();
  return wrong;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_SHARP_LAYER_H_
