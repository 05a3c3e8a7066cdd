// Sums that many threads of a GPU add to, and that are bitwise the same in any order.
//
// A sum of floating-point numbers depends on the order of its terms, a sum of integers
// does not. Each term is therefore rounded to a multiple of a unit, and the multiples
// are added as 64-bit integers. Each sum has a unit of its own. A first pass counts the
// terms, at most 2^h, and finds the largest one; the unit is chosen such that the
// largest term is between 2^(61 - h) and 2^(62 - h) units. Then no sum overflows, and
// the error of each term is at most 2^(h - 62) of the largest: for a thousand terms
// that is about the precision of the terms themselves. The cost is that all terms are
// computed twice.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_FIXED_POINT_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_FIXED_POINT_H_

#include <cmath>
#include <cstdint>
#include <cstring>

#include "gpu/launch.h"

namespace unsup3d {

// One sum. All members must be 0 initially.
struct FixedPointSum {
  unsigned long long terms;
  // The bits of the largest absolute value of all terms. As integers, the bits of
  // numbers have the order of the numbers, with NaN at the end.
  unsigned long long largest;
  unsigned long long units;  // the sum in units, in two's complement
};

__device__ inline double LargestTerm(const FixedPointSum& sum) {
  double largest;
  std::memcpy(&largest, &sum.largest, sizeof(largest));
  return largest;
}

// The binary logarithm of the unit.
__device__ inline int UnitExponent(const FixedPointSum& sum) {
  int log_largest, log_terms;
  std::frexp(LargestTerm(sum), &log_largest);
  std::frexp(static_cast<double>(sum.terms), &log_terms);
  return log_largest - (62 - log_terms);
}

// The first pass: to be called with all terms.
__device__ inline void MeasureTerm(FixedPointSum* sum, double term) {
  const double size = std::abs(term);
  unsigned long long bits;
  std::memcpy(&bits, &size, sizeof(bits));
  atomicAdd(&sum->terms, 1ull);
  // Few terms exceed all before them. A value that is out of date is too small.
  const volatile unsigned long long& largest = sum->largest;
  if (bits > largest) atomicMax(&sum->largest, bits);
}

// The second pass: to be called with the same terms.
__device__ inline void AddTerm(FixedPointSum* sum, double term) {
  if (!std::isfinite(LargestTerm(*sum))) return;
  const long long units = std::llrint(std::ldexp(term, -UnitExponent(*sum)));
  atomicAdd(&sum->units, static_cast<unsigned long long>(units));
}

// The sum after both passes. It is NaN if one of the terms is infinite or NaN.
__device__ inline double SumValue(const FixedPointSum& sum) {
  const double largest = LargestTerm(sum);
  if (!std::isfinite(largest)) return largest - largest;
  return std::ldexp(static_cast<double>(static_cast<long long>(sum.units)),
                    UnitExponent(sum));
}

// One of the two passes over the terms.
struct FixedPointPass {
  bool measuring;  // whether it is the first pass

  __device__ void Add(FixedPointSum* sum, double term) const {
    if (term == 0) return;
    if (measuring) {
      MeasureTerm(sum, term);
    } else {
      AddTerm(sum, term);
    }
  }
};

// Writes `count` sums to `target`.
template <typename T>
void WriteSums(const FixedPointSum* sums, int64_t count, T* target,
               cudaStream_t stream) {
  ForEach(count, stream,
          [=] __device__(int64_t i) { target[i] = static_cast<T>(SumValue(sums[i])); });
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_FIXED_POINT_H_
