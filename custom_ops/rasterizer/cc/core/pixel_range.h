// Ranges of pixels along the rows and columns of a picture.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PIXEL_RANGE_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PIXEL_RANGE_H_

#include <algorithm>
#include <cmath>

#include "core/geometry.h"

namespace unsup3d {

// The indices from `begin` up to, but not including, `end`.
struct PixelRange {
  int begin, end;

  UNSUP3D_HOST_DEVICE bool empty() const { return begin >= end; }
};

UNSUP3D_HOST_DEVICE inline PixelRange Intersect(const PixelRange& a,
                                                const PixelRange& b) {
  return {std::max(a.begin, b.begin), std::min(a.end, b.end)};
}

// The pixels of [0, size) whose centres lie in [low, high]. Any values are allowed,
// even NaN.
UNSUP3D_HOST_DEVICE inline PixelRange PixelsBetween(double low, double high, int size) {
  // The values are clamped before they are converted to integers.
  const double first = std::min(std::max(0.0, low - 0.5), double(size));
  const double last = std::min(std::max(-1.0, high - 0.5), double(size - 1));
  return {static_cast<int>(std::ceil(first)), static_cast<int>(std::floor(last)) + 1};
}

// The rectangle of pixels in which a triangle or an edge can be seen.
struct Footprint {
  PixelRange rows, columns;
};

UNSUP3D_HOST_DEVICE inline bool Meet(const Footprint& a, const Footprint& b) {
  return !Intersect(a.rows, b.rows).empty() && !Intersect(a.columns, b.columns).empty();
}

// Finds the pixels of a picture whose centres lie within a distance of the bounds.
// Returns whether there are any.
UNSUP3D_HOST_DEVICE inline bool FindFootprint(const Bounds<double>& bounds,
                                              double distance, int width, int height,
                                              Footprint* footprint) {
  const double reach = distance + 1e-3;  // so that rounding does not lose a pixel
  footprint->rows = PixelsBetween(bounds.top - reach, bounds.bottom + reach, height);
  footprint->columns = PixelsBetween(bounds.left - reach, bounds.right + reach, width);
  return !footprint->rows.empty() & !footprint->columns.empty();
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PIXEL_RANGE_H_
