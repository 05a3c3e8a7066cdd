// The units of work that a batch of pictures is divided into.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_BANDS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_BANDS_H_

#include <cstdint>

#include "core/geometry.h"
#include "core/pixel_range.h"

namespace unsup3d {

// A unit is one band of rows of one picture. The number of units depends on the sizes
// alone, so that results do not depend on the number of threads.
class Bands {
 public:
  Bands(int64_t batch, int height) : batch_(batch), height_(height) {
    // Bands are as small as possible without exceeding a few times kMinUnits.
    while (batch * Count() >= 2 * kMinUnits && Count() > 1) ++log_rows_;
  }
  int64_t units() const { return batch_ * Count(); }
  // The number of bands in each picture.
  UNSUP3D_HOST_DEVICE int count() const { return static_cast<int>(Count()); }
  int64_t picture(int64_t unit) const { return unit / Count(); }
  int band(int64_t unit) const { return static_cast<int>(unit % Count()); }

  UNSUP3D_HOST_DEVICE PixelRange rows(int band) const {
    // The row after the last band might not fit into an int.
    const int end = band + 1 == count() ? height_ : (band + 1) << log_rows_;
    return {band << log_rows_, end};
  }
  // The bands that contain any of the given rows. There must be at least one row.
  UNSUP3D_HOST_DEVICE PixelRange Holding(const PixelRange& rows) const {
    return {rows.begin >> log_rows_, ((rows.end - 1) >> log_rows_) + 1};
  }

 private:
  // Enough units for a single picture to use all threads.
  static constexpr int kMinUnits = 16;

  UNSUP3D_HOST_DEVICE int64_t Count() const { return ((height_ - 1) >> log_rows_) + 1; }

  int64_t batch_;
  int height_;
  // Binary logarithm of the rows in a band. Thinner bands would repeat more work, since
  // soft edges reach across the borders between bands.
  int log_rows_ = 4;
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_BANDS_H_
