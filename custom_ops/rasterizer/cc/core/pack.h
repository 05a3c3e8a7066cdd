// Several numbers on which arithmetic is done at once (SIMD). The results are bitwise
// those of the same arithmetic on single numbers.
//
// A Pack can be the Real of the templates in geometry.h. On x86-64 its operations
// become AVX instructions if the compiler is allowed to use them, see build.py.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PACK_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PACK_H_

#include <cstdint>
#include <cstring>

namespace unsup3d {

constexpr int kLanes = 4;

// A condition for each number of a Pack.
struct PackMask {
  typedef int64_t Vector __attribute__((vector_size(kLanes * sizeof(int64_t))));
  Vector lanes;

  bool operator[](int lane) const { return lanes[lane] != 0; }
};

inline PackMask operator&(const PackMask& a, const PackMask& b) {
  return {a.lanes & b.lanes};
}
inline PackMask operator|(const PackMask& a, const PackMask& b) {
  return {a.lanes | b.lanes};
}

struct Pack {
  typedef double Vector __attribute__((vector_size(kLanes * sizeof(double))));
  Vector lanes;

  Pack() = default;
  Pack(double value) : lanes(Vector{} + value) {}
  explicit Pack(const Vector& values) : lanes(values) {}

  static Pack Load(const double* values) {
    Pack pack;
    std::memcpy(&pack.lanes, values, sizeof(pack.lanes));
    return pack;
  }
  void Store(double* target) const { std::memcpy(target, &lanes, sizeof(lanes)); }

  Pack& operator+=(const Pack& other) {
    lanes += other.lanes;
    return *this;
  }
  Pack& operator-=(const Pack& other) {
    lanes -= other.lanes;
    return *this;
  }
};

inline Pack operator+(const Pack& a, const Pack& b) { return Pack(a.lanes + b.lanes); }
inline Pack operator-(const Pack& a, const Pack& b) { return Pack(a.lanes - b.lanes); }
inline Pack operator*(const Pack& a, const Pack& b) { return Pack(a.lanes * b.lanes); }
inline Pack operator/(const Pack& a, const Pack& b) { return Pack(a.lanes / b.lanes); }

inline PackMask operator<(const Pack& a, const Pack& b) { return {a.lanes < b.lanes}; }
inline PackMask operator>(const Pack& a, const Pack& b) { return {a.lanes > b.lanes}; }
inline PackMask operator<=(const Pack& a, const Pack& b) {
  return {a.lanes <= b.lanes};
}
inline PackMask operator>=(const Pack& a, const Pack& b) {
  return {a.lanes >= b.lanes};
}

inline Pack Select(const PackMask& mask, const Pack& a, const Pack& b) {
  return Pack(mask.lanes ? a.lanes : b.lanes);
}

inline Pack RoundedProduct(const Pack& a, const Pack& b) { return a * b; }

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PACK_H_
