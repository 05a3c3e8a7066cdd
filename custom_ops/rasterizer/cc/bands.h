// How a batch of pictures is cut into units of work.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_BANDS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_BANDS_H_

#include <algorithm>
#include <cstdint>

namespace unsup3d {

// A unit is one band of rows of one picture. How many there are depends on the sizes
// alone, so that the result does not depend on the number of threads.
class Bands {
 public:
  Bands(int64_t batch, int height) : batch_(batch), height_(height) {
    const int64_t wanted = batch > 0 ? (kMinUnits + batch - 1) / batch : 1;
    const int possible = std::max(1, height / kMinRows);
    count_ = static_cast<int>(std::min<int64_t>(wanted, possible));
    rows_ = (height + count_ - 1) / count_;
    count_ = (height + rows_ - 1) / rows_;
  }
  int64_t units() const { return batch_ * count_; }
  int count() const { return count_; }  // per picture
  int64_t picture(int64_t unit) const { return unit / count_; }
  int begin(int64_t unit) const { return static_cast<int>(unit % count_) * rows_; }
  int end(int64_t unit) const { return std::min(height_, begin(unit) + rows_); }

 private:
  static constexpr int kMinUnits = 8;  // so that a single picture uses all threads
  static constexpr int kMinRows = 16;  // a band costs a pass over all triangles

  int64_t batch_;
  int height_, count_, rows_;
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_BANDS_H_
