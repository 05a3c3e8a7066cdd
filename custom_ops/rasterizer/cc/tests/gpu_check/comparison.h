// Compares what a GPU computes with what is expected, and keeps the account.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_COMPARISON_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_COMPARISON_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "tests/gpu_check/json.h"
#include "tests/pictures.h"

namespace unsup3d {

class Comparison {
 public:
  // What is called `perturbed` is changed before it is compared, to show that the check
  // can fail.
  explicit Comparison(std::string perturbed)
      : perturbed_(std::move(perturbed)), has_perturbed_(perturbed_.empty()) {}

  // All that is compared next belongs to this case.
  void Begin(const std::string& name) {
    name_ = name;
    largest_error_ = 0;
    differences_.clear();
  }

  // Closes the case: prints it and adds it to the account.
  void End() {
    std::printf("%s %s (largest error of a gradient %.1e)\n",
                differences_.empty() ? "same     " : "DIFFERENT", name_.c_str(),
                largest_error_);
    for (const std::string& difference : differences_) {
      std::printf("  %s\n", difference.c_str());
    }
    std::fflush(stdout);
    differing_cases_ += !differences_.empty();
    cases_.push_back(JsonObject()
                         .Add("name", name_)
                         .Add("same", differences_.empty())
                         .Add("largest_gradient_error", largest_error_)
                         .AddJson("differences", JsonArray(differences_))
                         .str());
  }

  // Expects the same bits.
  template <typename Value>
  void Same(const std::string& what, std::vector<Value> found,
            const std::vector<Value>& expected) {
    if (what == perturbed_ && !found.empty()) {
      has_perturbed_ = true;
      reinterpret_cast<unsigned char&>(found[found.size() / 2]) ^= 1;
    }
    if (found.size() != expected.size()) {
      Differ(what, std::to_string(found.size()) + " elements instead of " +
                       std::to_string(expected.size()));
      return;
    }
    int64_t first = -1, count = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      if (std::memcmp(&found[i], &expected[i], sizeof(Value)) == 0) continue;
      if (first < 0) first = static_cast<int64_t>(i);
      ++count;
    }
    if (count == 0) return;
    Differ(what, std::to_string(count) + " of " + std::to_string(found.size()) +
                     " elements differ; element " + std::to_string(first) + " is " +
                     Text(found[first]) + " instead of " + Text(expected[first]));
  }

  // Expects that no element is off by more than a part of itself or of the largest one.
  template <typename T>
  void Near(const std::string& what, std::vector<T> found,
            const std::vector<T>& expected, double tolerance) {
    if (what == perturbed_ && !found.empty()) {
      has_perturbed_ = true;
      T& largest = *std::max_element(found.begin(), found.end());
      largest += static_cast<T>(100 * tolerance) * largest;
    }
    if (found.size() != expected.size()) {
      Differ(what, "has another size");
      return;
    }
    double scale = 0;
    for (const T value : expected) scale = std::max(scale, std::abs(double(value)));
    for (size_t i = 0; i < found.size(); ++i) {
      const double error = std::abs(double(found[i]) - double(expected[i]));
      if (scale > 0) largest_error_ = std::max(largest_error_, error / scale);
      // This is also false if the error is NaN.
      if (error <= tolerance * (scale + std::abs(double(expected[i])))) continue;
      Differ(what, "element " + std::to_string(i) + " is " + Text(found[i]) +
                       " instead of " + Text(expected[i]));
      return;
    }
  }

  void Same(const std::string& what, int64_t found, int64_t expected) {
    Same(what, std::vector<int64_t>{found}, std::vector<int64_t>{expected});
  }

  // Whether there was something to perturb, if anything was to be.
  bool has_perturbed() const { return has_perturbed_; }
  int differing_cases() const { return differing_cases_; }
  int case_count() const { return static_cast<int>(cases_.size()); }
  std::string json() const { return JsonLines(cases_); }

 private:
  template <typename Value>
  static std::string Text(Value value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.17g", static_cast<double>(value));
    return text;
  }

  void Differ(const std::string& what, const std::string& how) {
    differences_.push_back(what + ": " + how);
  }

  std::string perturbed_, name_;
  bool has_perturbed_;
  double largest_error_ = 0;
  std::vector<std::string> differences_, cases_;
  int differing_cases_ = 0;
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_COMPARISON_H_
