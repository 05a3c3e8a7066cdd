// Random numbers for the test programs.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_RANDOM_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_RANDOM_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace unsup3d {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  double operator()(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(engine_);
  }
  double Normal(double deviation) {
    return std::normal_distribution<double>(0, deviation)(engine_);
  }
  int Integer(int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(engine_);
  }
  // True with a probability of 1 / n.
  bool OneIn(int n) { return Integer(1, n) == 1; }

  // A number of any magnitude and sign, sometimes 0 or a half-integer.
  template <typename T>
  T Wild() {
    const double limit = std::log10(std::numeric_limits<T>::max());
    switch (Integer(0, 3)) {
      case 0:
        return static_cast<T>(Integer(-2, 20)) / 2;
      case 1:
        return static_cast<T>((*this)(-3, 12));
      default:
        return static_cast<T>((*this)(-1, 1) * std::pow(10.0, (*this)(-limit, limit)));
    }
  }

 private:
  std::mt19937_64 engine_;
};

// An array of `count` results of `make()`, without spare memory that would hide
// overruns.
template <typename Make>
auto MakeMany(int64_t count, Make make) {
  std::vector<decltype(make())> values(count);
  std::generate(values.begin(), values.end(), make);
  return values;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_RANDOM_H_
