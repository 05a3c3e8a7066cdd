// Checks the bins of the CUDA kernels in emulation: which footprints a tile looks at.
// It prints the checks that fail, and its exit status is 0 if there are none.

#include "gpu/bins.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include "core/pixel_range.h"
#include "gpu/scratch.h"
#include "tests/expect.h"
#include "tests/random.h"

namespace unsup3d {
namespace {

class Allocator : public GpuAllocator {
 public:
  void* Allocate(int64_t bytes) override {
    blocks_.push_back(std::make_unique<char[]>(bytes));
    return blocks_.back().get();
  }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
};

PixelRange RandomRange(Random& random, int size) {
  // Of all lengths, most of them short.
  const int length = random.Integer(1, random.OneIn(4) ? size : std::min(size, 20));
  const int begin = random.Integer(0, size - length);
  return {begin, begin + length};
}

// Visits all footprints in the bins of each tile and checks that these are the ones
// that meet it, each of them once.
void TestTilesSeeWhatMeetsThem(Random& random) {
  const int height = random.Integer(1, random.OneIn(3) ? 700 : 60);
  const int width = random.Integer(1, random.OneIn(3) ? 700 : 60);
  const int pictures = random.Integer(1, 3), count = random.Integer(0, 40);
  std::vector<Footprint> footprints;
  for (int i = 0; i < pictures * count; ++i) {
    footprints.push_back({RandomRange(random, height), RandomRange(random, width)});
    if (random.OneIn(5)) footprints.back().rows.end = footprints.back().rows.begin;
  }
  Allocator allocator;
  Scratch scratch(&allocator);
  const Bins bins = MakeBins(pictures, height, width, count, &scratch);
  emulate_descending = random.OneIn(2);
  FillBins(bins, pictures, count, [&](int64_t i, Footprint* footprint) {
    *footprint = footprints[i];
    return !footprint->rows.empty();
  }, &scratch, nullptr);

  EXPECT(bins.ends[pictures * bins.count - 1] <=
         static_cast<Count>(pictures * count * Bins::kMaxBins));
  for (int picture = 0; picture < pictures; ++picture) {
    for (int top = 0; top < height; top += kTileSide) {
      for (int left = 0; left < width; left += kTileSide) {
        const Footprint tile = {{top, top + kTileSide}, {left, left + kTileSide}};
        std::vector<int> times(count);
        BinLevel at = bins.tiles;
        for (;; at = at.Next()) {
          const int64_t bin =
              picture * bins.count +
              at.At(top / kTileSide >> at.level, left / kTileSide >> at.level);
          for (Count k = bins.begin(bin); k < bins.ends[bin]; ++k) {
            ++times[bins.entries[k]];
          }
          if (at.is_last()) break;
        }
        EXPECT(at.end() == bins.count);
        for (int i = 0; i < count; ++i) {
          const Footprint& footprint = footprints[picture * count + i];
          EXPECT(times[i] <= 1);
          EXPECT(times[i] == 1 || !Meet(footprint, tile));
          EXPECT(times[i] == 0 || !footprint.rows.empty());
        }
      }
    }
  }
}

// However large footprints are, they are in few bins, and a tile looks at few others.
void TestEffortIsBounded() {
  const int side = 1 << 14;
  BinLevel tiles = {side / kTileSide, side / kTileSide};
  const Bins bins = {tiles, 0, nullptr, nullptr};
  for (int length = 1; length <= side; length *= 2) {
    const int first = (side - length) / 2;
    const PixelRange range = {first, first + length};
    int count = 0, level = -1;
    bins.VisitBins(0, {range, range}, [&](int64_t bin) {
      level = 0;
      for (BinLevel at = tiles; bin >= at.end(); at = at.Next()) level = at.level + 1;
      ++count;
    });
    EXPECT(1 <= count && count <= Bins::kMaxBins);
    // A bin is at most as long as the footprint, unless it is a tile.
    EXPECT(level == 0 || kTileSide << level <= 2 * length);
  }
}

}  // namespace
}  // namespace unsup3d

int main() {
  unsup3d::Random random(5);
  for (int round = 0; round < 100; ++round) {
    unsup3d::TestTilesSeeWhatMeetsThem(random);
  }
  unsup3d::TestEffortIsBounded();
  std::printf("%d failures\n", unsup3d::failures);
  return unsup3d::failures == 0 ? 0 : 1;
}
