// The soft layer: the fragments of silhouette edges, gathered pixel by pixel.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_SOFT_LAYER_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_SOFT_LAYER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "fragments.h"
#include "geometry.h"
#include "layer_point.h"
#include "mesh.h"
#include "pixel_range.h"

namespace unsup3d {

template <typename T>
class SoftLayer {
 public:
  SoftLayer(const Mesh<T>& mesh, int width, const Options& options)
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
    for (const auto& [e, footprint] : mesh_.silhouettes()) {
      const PixelRange rows = Intersect(footprint.rows, {begin, end});
      if (rows.empty()) continue;
      EdgePart<Real> part;
      mesh_.view().VisiblePart(e, &part);
      for (int y = rows.begin; y < rows.end; ++y) {
        const PixelRange columns = Columns(part, y + 0.5);
        for (int x = columns.begin; x < columns.end; ++x) {
          Fragment<Real> fragment;
          fragment.pixel = (y - begin) * width_ + x;
          fragment.edge = e;
          if (!FindFragment(part, x + 0.5, y + 0.5, margin_, push_,
                            depths[fragment.pixel], &fragment)) {
            continue;
          }
          found_.push_back(fragment);
          ++starts_[fragment.pixel + 1];
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
  PixelRange Columns(const EdgePart<Real>& part, Real py) const {
    const Real ax = part.ends[0].x / part.ends[0].z;
    const Real ay = part.ends[0].y / part.ends[0].z;
    const Real dx = part.ends[1].x / part.ends[1].z - ax;
    const Real dy = part.ends[1].y / part.ends[1].z - ay;
    Real left = ax, right = ax + dx;
    if (dy != 0) {
      const Real s = (py - margin_ - ay) / dy;
      const Real t = (py + margin_ - ay) / dy;
      left = ax + dx * std::min(std::max(std::min(s, t), Real(0)), Real(1));
      right = ax + dx * std::min(std::max(std::max(s, t), Real(0)), Real(1));
    }
    if (dx < 0) std::swap(left, right);
    const Real reach = margin_ + 1e-3;  // rounding must not cost a pixel
    return PixelsBetween(left - reach, right + reach, width_);
  }

  const Mesh<T>& mesh_;
  const int width_;
  const Real margin_, push_;
  int row_ = 0, first_row_ = 0, gathered_ = 0;
  std::vector<Fragment<Real>> found_, sorted_;
  std::vector<size_t> starts_, next_;
};

// Calls `visit(index, place, pixel)` for the pixels of the rows begin .. end, in their
// order. `ids` and `depths`, [height, width], are those of DrawSharp.
template <typename T, typename Visit>
void VisitPixels(const Mesh<T>& mesh, const Options& options, int begin, int end,
                 int width, const int* ids, const Real* depths, Visit visit) {
  SoftLayer<T> soft(mesh, width, options);
  for (int y = begin; y < end; ++y) {
    soft.MoveTo(y, end, depths);
    for (int x = 0; x < width; ++x) {
      const int64_t i = static_cast<int64_t>(y) * width + x;
      const Place place = {x + 0.5, y + 0.5, ids[i]};
      visit(i, place, soft.At(x, depths[i]));
    }
  }
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_SOFT_LAYER_H_
