// Ranges of pixels along one axis of a picture.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_PIXEL_RANGE_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_PIXEL_RANGE_H_

#include <algorithm>

namespace unsup3d {

// From `begin` to one before `end`.
struct PixelRange {
  int begin, end;

  bool empty() const { return begin >= end; }
};

// The pixels of [begin, end) whose centres lie in [low, high]. Any numbers will do.
inline PixelRange PixelsBetween(double low, double high, int begin, int end) {
  // Cut to the range before they become integers, which also rounds towards zero
  // then; std::ceil and std::floor would be calls to a library here.
  const double from = low - 0.5, to = high - 0.5;
  const double first = from > begin - 1 ? (from < end ? from : end) : begin - 1;
  const double last = to > begin - 1 ? (to < end - 1 ? to : end - 1) : begin - 1;
  const int rounded_first = static_cast<int>(first);
  const int rounded_last = static_cast<int>(last);
  return {std::max(begin, rounded_first + (rounded_first < first)),
          rounded_last - (rounded_last > last) + 1};
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_PIXEL_RANGE_H_
