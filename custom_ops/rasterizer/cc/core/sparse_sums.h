// Sums that take memory only where something is added.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_SPARSE_SUMS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_SPARSE_SUMS_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace unsup3d {

// An array [rows, width] of zeros to add to. A band of a picture touches a small part
// of a mesh and of a texture, so that many bands can have sums of their own.
template <typename Value>
class SparseSums {
 public:
  static constexpr uint64_t kPageRows = 16;

  SparseSums() = default;
  SparseSums(int64_t rows, int width)
      : width_(width), pages_((rows + kPageRows - 1) / kPageRows, nullptr) {}

  // The values of a row.
  Value* Row(uint64_t row) {
    Value*& page = pages_[row / kPageRows];
    if (page == nullptr) page = NewPage();
    return page + row % kPageRows * width_;
  }

  // The values of the rows from page * kPageRows on, or null if they are all 0.
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

// Writes the rows of the pages begin .. end of the sum of arrays [rows, width] to
// `target`. There are `count` of them, `part(k)` is a pointer to each, and they are
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
