// Arrays of sums that occupy memory only where something has been added.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_SPARSE_SUMS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_SPARSE_SUMS_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace unsup3d {

// An array [rows, width] of sums that start at 0. Since a band of a picture touches
// only a small part of a mesh and of a texture, every band can afford sums of its own.
template <typename Value>
class SparseSums {
 public:
  static constexpr uint64_t kPageRows = 16;

  SparseSums() = default;
  SparseSums(int64_t rows, int width)
      : width_(width), pages_((rows + kPageRows - 1) / kPageRows, nullptr) {}

  // The sums of a row.
  Value* Row(uint64_t row) {
    Value*& page = pages_[row / kPageRows];
    if (page == nullptr) page = NewPage();
    return page + row % kPageRows * width_;
  }

  // The sums of the kPageRows rows from page * kPageRows on, or null if all are 0.
  const Value* Page(int64_t page) const { return pages_[page]; }

 private:
  static constexpr int64_t kBlockPages = 32;

  __attribute__((noinline, cold)) Value* NewPage() {
    if (used_ % kBlockPages == 0) {
      blocks_.push_back(std::make_unique<Value[]>(kBlockPages * kPageRows * width_));
    }
    return blocks_.back().get() + used_++ % kBlockPages * kPageRows * width_;
  }

  uint64_t width_ = 0;
  std::vector<Value*> pages_;
  std::vector<std::unique_ptr<Value[]>> blocks_;
  int64_t used_ = 0;
};

// Adds up `count` arrays [rows, width] and writes the pages from `begin` up to `end` of
// the result to `target`. `part(k)` returns a pointer to the k-th array. The arrays are
// added in this order.
template <typename Value, typename T, typename Part>
void WriteSum(int64_t count, Part part, int64_t begin, int64_t end, int64_t rows,
              int64_t width, T* target) {
  constexpr int64_t kPageRows = SparseSums<Value>::kPageRows;
  std::vector<Value> sum(kPageRows * width);
  for (int64_t page = begin; page < end; ++page) {
    const int64_t size = std::min(kPageRows, rows - page * kPageRows) * width;
    std::fill_n(sum.data(), size, Value(0));
    for (int64_t k = 0; k < count; ++k) {
      const Value* values = part(k)->Page(page);
      if (values == nullptr) continue;
      for (int64_t i = 0; i < size; ++i) sum[i] += values[i];
    }
    std::copy_n(sum.data(), size, target + page * kPageRows * width);
  }
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_SPARSE_SUMS_H_
