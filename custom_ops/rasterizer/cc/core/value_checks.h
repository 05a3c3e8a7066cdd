// Searches for invalid values, which nothing may be computed with.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_VALUE_CHECKS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_VALUE_CHECKS_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace unsup3d {

// Returns the index of the first of `count` values for which `is_wrong`, or -1.
template <typename T, typename IsWrong>
int64_t FindWrong(const T* values, int64_t count, IsWrong is_wrong) {
  // There is no branch for each value, since values are hardly ever invalid.
  int any = 0;
  for (int64_t i = 0; i < count; ++i) any |= is_wrong(values[i]);
  if (any == 0) return -1;
  int64_t first = 0;
  while (!is_wrong(values[first])) ++first;
  return first;
}

// Finds the first value outside of lowest .. end - 1.
inline int64_t FindOutside(const int32_t* values, int64_t count, int64_t lowest,
                           int64_t end) {
  const int32_t low = static_cast<int32_t>(lowest);
  const int32_t high = static_cast<int32_t>(
      std::min<int64_t>(end, std::numeric_limits<int32_t>::max()) - 1);
  return FindWrong(values, count,
                   [=](int32_t value) { return (value < low) | (value > high); });
}

// Finds the first value that is infinite or NaN.
template <typename T>
int64_t FindNotFinite(const T* values, int64_t count) {
  return FindWrong(values, count, [](T value) { return !std::isfinite(value); });
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_VALUE_CHECKS_H_
