// How a batch of pictures is cut into units of work.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_BANDS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_BANDS_H_

#include <cstdint>

#include "core/geometry.h"
#include "core/pixel_range.h"

namespace unsup3d {

// A unit is one band of rows of one picture. How many there are depends on the sizes
// alone, so that the result does not depend on the number of threads.
class Bands {
 public:
  Bands(int64_t batch, int height) : batch_(batch), height_(height) {
    // As small as possible, but not more than a few times kMinUnits.
    while (batch * Count() >= 2 * kMinUnits && Count() > 1) ++log_rows_;
  }
  int64_t units() const { return batch_ * Count(); }
  UNSUP3D_HOST_DEVICE int count() const { return static_cast<int>(Count()); }  // per picture
  int64_t picture(int64_t unit) const { return unit / Count(); }
  int band(int64_t unit) const { return static_cast<int>(unit % Count()); }

  UNSUP3D_HOST_DEVICE PixelRange rows(int band) const {
    // Beyond the last one there may be no int.
    const int end = band + 1 == count() ? height_ : (band + 1) << log_rows_;
    return {band << log_rows_, end};
  }
  // The bands that hold some of the rows, of which there is at least one.
  UNSUP3D_HOST_DEVICE PixelRange Holding(const PixelRange& rows) const {
    return {rows.begin >> log_rows_, ((rows.end - 1) >> log_rows_) + 1};
  }

 private:
  static constexpr int kMinUnits = 16;  // so that a single picture uses all threads

  UNSUP3D_HOST_DEVICE int64_t Count() const { return ((height_ - 1) >> log_rows_) + 1; }

  int64_t batch_;
  int height_;
  int log_rows_ = 4;  // of the rows of a band; soft edges cross the border of bands
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_BANDS_H_
