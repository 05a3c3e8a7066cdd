// The soft layer: the fragments of silhouette edges, gathered pixel by pixel.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_SOFT_LAYER_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_SOFT_LAYER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fragments.h"
#include "geometry.h"
#include "mesh.h"
#include "pixel_range.h"

namespace unsup3d {

class SoftLayer {
 public:
  SoftLayer(const Mesh& mesh, int width, const Options& options)
      : mesh_(mesh),
        width_(width),
        margin_(options.margin),
        push_(options.depth_push) {}

  // Gathers what the sharp layer with the given depths, [height, width], does not
  // hide in the row y. Rows must come in ascending order up to `end`.
  void MoveTo(int y, int end, const Real* depths) {
    row_ = y;
    if (y >= gathered_) Gather(y, std::min(end, y + kRows), depths);
  }

  // What is in the column x of the row.
  Pixel<Real> At(int x, Real sharp_depth) const {
    const size_t i = static_cast<size_t>(row_ - first_row_) * width_ + x;
    return {sorted_.data() + starts_[i],
            static_cast<int>(starts_[i + 1] - starts_[i]), sharp_depth, push_};
  }

 private:
  static constexpr int kRows = 8;  // whose fragments are held in memory at once

  void Gather(int begin, int end, const Real* depths) {
    first_row_ = begin;
    gathered_ = end;
    depths += static_cast<int64_t>(begin) * width_;
    found_.clear();
    starts_.assign(static_cast<size_t>(end - begin) * width_ + 1, 0);
    for (const int e : mesh_.silhouettes) {
      const Vertex<Real>& a = mesh_.vertices[mesh_.First(e)];
      const Vertex<Real>& b = mesh_.vertices[mesh_.Second(e)];
      const PixelRange rows =
          PixelsBetween(std::min(a.y, b.y) - margin_, std::max(a.y, b.y) + margin_,
                        begin, end);
      for (int y = rows.begin; y < rows.end; ++y) {
        const PixelRange columns = Columns(a, b, y + 0.5);
        for (int x = columns.begin; x < columns.end; ++x) {
          const EdgePoint<Real> point = NearestOnEdge(a, b, x + 0.5, y + 0.5);
          if (!(point.distance < margin_)) continue;
          const int pixel = (y - begin) * width_ + x;
          const Real extent = point.distance / margin_;
          // What is hidden where it reaches furthest forward is hidden everywhere.
          if (!(point.depth * (1 + push_ * extent) < depths[pixel])) continue;
          found_.push_back({pixel, e, extent, point.depth});
          ++starts_[pixel + 1];
        }
      }
    }
    for (size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
    sorted_.resize(found_.size());
    next_.assign(starts_.begin(), starts_.end());
    for (const Fragment<Real>& fragment : found_) {
      sorted_[next_[fragment.pixel]++] = fragment;
    }
  }

  // A range of columns that holds all pixels of a row within the margin.
  PixelRange Columns(const Vertex<Real>& a, const Vertex<Real>& b, Real py) const {
    Real from = 0, to = 1;
    const Real dy = b.y - a.y;
    if (dy != 0) {
      const Real s0 = (py - margin_ - a.y) / dy;
      const Real s1 = (py + margin_ - a.y) / dy;
      from = std::min(std::max(std::min(s0, s1), Real(0)), Real(1));
      to = std::min(std::max(std::max(s0, s1), Real(0)), Real(1));
    }
    const Real x0 = a.x + from * (b.x - a.x);
    const Real x1 = a.x + to * (b.x - a.x);
    const Real reach = margin_ + 1e-3;  // rounding must not cost a pixel
    return PixelsBetween(std::min(x0, x1) - reach, std::max(x0, x1) + reach, 0,
                         width_);
  }

  const Mesh& mesh_;
  const int width_;
  const Real margin_, push_;
  int row_ = 0, first_row_ = 0, gathered_ = 0;
  std::vector<Fragment<Real>> found_, sorted_;
  std::vector<size_t> starts_, next_;
};

// The barycentric coordinates of a fragment on the triangle that owns its edge.
inline void FragmentPoint(const Mesh& mesh, int edge, Real px, Real py,
                          Real barycentric[3]) {
  const EdgePoint<Real> point = NearestOnEdge(
      mesh.vertices[mesh.First(edge)], mesh.vertices[mesh.Second(edge)], px, py);
  barycentric[edge % 3] = 0;
  barycentric[(edge + 1) % 3] = 1 - point.parameter;
  barycentric[(edge + 2) % 3] = point.parameter;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_SOFT_LAYER_H_
