// The soft layer: the soft fragments of silhouette edges, sorted by pixel.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_SOFT_LAYER_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_SOFT_LAYER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/geometry.h"
#include "core/layer_point.h"
#include "core/mesh.h"
#include "core/picture_inputs.h"
#include "core/pixel_layers.h"
#include "core/pixel_range.h"

namespace unsup3d {

// A range of columns that contains all pixels of a row that are within the margin of
// the visible part of an edge. The centres of the row's pixels are at y = `py`.
inline PixelRange ColumnsNear(const EdgePart<Real>& part, Real py, Real margin,
                              int width) {
  const Real ax = part.ends[0].x / part.ends[0].z;
  const Real ay = part.ends[0].y / part.ends[0].z;
  const Real dx = part.ends[1].x / part.ends[1].z - ax;
  const Real dy = part.ends[1].y / part.ends[1].z - ay;
  Real left = ax, right = ax + dx;
  if (dy != 0) {
    const Real s = (py - margin - ay) / dy;
    const Real t = (py + margin - ay) / dy;
    left = ax + dx * std::min(std::max(std::min(s, t), Real(0)), Real(1));
    right = ax + dx * std::min(std::max(std::max(s, t), Real(0)), Real(1));
  }
  if (dx < 0) std::swap(left, right);
  const Real reach = margin + 1e-3;  // so that rounding does not lose a pixel
  return PixelsBetween(left - reach, right + reach, width);
}

// The soft fragments of a band.
class SoftLayer {
 public:
  // Gathers the soft fragments that the sharp layer, whose depths DrawSharp found, does
  // not hide.
  template <typename T>
  SoftLayer(const Mesh<T>& mesh, const Options& options, int band, int width,
            const Real* depths)
      : push_(options.depth_push) {
    const PixelRange band_rows = mesh.bands().rows(band);
    std::vector<SoftFragment<Real>> found;
    starts_.assign(static_cast<size_t>(band_rows.end - band_rows.begin) * width + 1, 0);
    mesh.VisitSilhouettes(band, [&](const Placed& placed) {
      EdgePart<Real> part;
      mesh.view().VisiblePart(placed.index, &part);
      const PixelRange rows = Intersect(placed.footprint.rows, band_rows);
      for (int y = rows.begin; y < rows.end; ++y) {
        const PixelRange columns = ColumnsNear(part, y + 0.5, options.margin, width);
        for (int x = columns.begin; x < columns.end; ++x) {
          SoftFragment<Real> fragment;
          fragment.pixel = (y - band_rows.begin) * width + x;
          fragment.edge = placed.index;
          if (!FindSoftFragment(part, x + 0.5, y + 0.5, Real(options.margin), push_,
                                depths[fragment.pixel], &fragment)) {
            continue;
          }
          found.push_back(fragment);
          ++starts_[fragment.pixel + 1];
        }
      }
    });
    for (size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
    sorted_.resize(found.size());
    std::vector<uint32_t> next(starts_);
    for (const SoftFragment<Real>& fragment : found) {
      sorted_[next[fragment.pixel]++] = fragment;
    }
  }

  // The layers of a pixel of the band. Pixels are counted row by row.
  PixelLayers<Real> At(int64_t i, Real sharp_depth) const {
    return {sorted_.data() + starts_[i], static_cast<int>(starts_[i + 1] - starts_[i]),
            sharp_depth, push_};
  }

 private:
  Real push_;
  std::vector<SoftFragment<Real>> sorted_;
  std::vector<uint32_t> starts_;
};

// Calls `visit(i, place, pixel)` for each pixel of a band, where i counts them row by
// row. `ids` and `depths` are what DrawSharp wrote.
template <typename T, typename Visit>
void VisitPixels(const Mesh<T>& mesh, const Options& options, int band, int width,
                 const int* ids, const Real* depths, Visit visit) {
  const SoftLayer soft(mesh, options, band, width, depths);
  const PixelRange rows = mesh.bands().rows(band);
  int64_t i = 0;
  for (int y = rows.begin; y < rows.end; ++y) {
    for (int x = 0; x < width; ++x, ++i) {
      const Place place = {x + 0.5, y + 0.5, ids[i]};
      visit(i, place, soft.At(i, depths[i]));
    }
  }
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_SOFT_LAYER_H_
