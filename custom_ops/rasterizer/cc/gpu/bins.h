// Bins, which tell each tile of a picture what footprints to look at.
//
// A bin holds the footprints that meet a square of tiles. There are several levels: on
// level l the squares are 2^l tiles wide and high, and the last level is a single bin.
// A footprint is in the bins of the lowest level on which it meets at most two in each
// direction, so it is in at most four bins, however large it is. A tile looks at the
// one bin of each level that contains it. So memory and time to fill the bins are
// proportional to the number of footprints.
//
// Bins are filled in three steps: the footprints of each bin are counted, a scan of
// these numbers tells where the entries of each bin begin, and then the entries are
// written. Their order within a bin is that in which threads happened to write them.
// Who visits them must not depend on it: the sharp layer takes the nearest triangle and
// of equally near ones the first, and the soft fragments of a pixel are sorted.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_BINS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_BINS_H_

#include <cstdint>

#include "core/pixel_range.h"
#include "gpu/launch.h"
#include "gpu/scan.h"
#include "gpu/scratch.h"

namespace unsup3d {

// The bins of one level of a picture. The default level is that of the tiles.
struct BinLevel {
  int rows, columns;  // of bins
  int level = 0;
  int64_t first = 0;  // the index of the level's first bin in its picture

  UNSUP3D_HOST_DEVICE bool is_last() const { return rows == 1 && columns == 1; }
  UNSUP3D_HOST_DEVICE int64_t end() const {
    return first + static_cast<int64_t>(rows) * columns;
  }
  UNSUP3D_HOST_DEVICE BinLevel Next() const {
    return {(rows + 1) / 2, (columns + 1) / 2, level + 1, end()};
  }
  UNSUP3D_HOST_DEVICE int64_t At(int row, int column) const {
    return first + static_cast<int64_t>(row) * columns + column;
  }
};

struct Bins {
  static constexpr int kMaxBins = 4;  // that a footprint is in

  BinLevel tiles;
  int64_t count;  // the number of bins of a picture
  // [pictures, count]; while bins are filled, where the next entry goes. The entries of
  // a bin begin where those of the bin before end.
  Count* ends;
  int* entries;  // indices of footprints in their picture

  UNSUP3D_HOST_DEVICE Count begin(int64_t bin) const {
    return bin == 0 ? 0 : ends[bin - 1];
  }

  // Calls `visit(bin)` for each bin that a footprint belongs in.
  template <typename Visit>
  UNSUP3D_HOST_DEVICE void VisitBins(int64_t picture, const Footprint& footprint,
                                     Visit visit) const {
    const int top = footprint.rows.begin / kTileSide;
    const int bottom = (footprint.rows.end - 1) / kTileSide;
    const int left = footprint.columns.begin / kTileSide;
    const int right = (footprint.columns.end - 1) / kTileSide;
    BinLevel at = tiles;
    while ((bottom >> at.level) - (top >> at.level) > 1 ||
           (right >> at.level) - (left >> at.level) > 1) {
      at = at.Next();
    }
    for (int row = top >> at.level; row <= bottom >> at.level; ++row) {
      for (int column = left >> at.level; column <= right >> at.level; ++column) {
        visit(picture * count + at.At(row, column));
      }
    }
  }
};

// Makes bins for at most `footprints` footprints in each picture, if there is enough
// scratch memory.
inline Bins MakeBins(int64_t pictures, int height, int width, int64_t footprints,
                     Scratch* scratch) {
  Bins bins;
  bins.tiles = {(height - 1) / kTileSide + 1, (width - 1) / kTileSide + 1};
  BinLevel last = bins.tiles;
  while (!last.is_last()) last = last.Next();
  bins.count = last.end();
  bins.ends = scratch->Get<Count>(pictures * bins.count);
  bins.entries = scratch->Get<int>(pictures * footprints * Bins::kMaxBins);
  return bins;
}

// Fills bins with the footprints 0 .. footprints - 1 of each picture, if there is
// enough scratch memory. `find(i, &footprint)` returns whether there is footprint i,
// counted through the batch, and finds it. It is called twice.
template <typename Find>
void FillBins(const Bins& bins, int64_t pictures, int64_t footprints, const Find& find,
              Scratch* scratch, cudaStream_t stream) {
  cudaMemsetAsync(bins.ends, 0, pictures * bins.count * sizeof(Count), stream);
  ForEach(pictures * footprints, stream, [=] __device__(int64_t i) {
    Footprint footprint;
    if (!find(i, &footprint)) return;
    bins.VisitBins(i / footprints, footprint,
                   [&](int64_t bin) { atomicAdd(&bins.ends[bin], Count{1}); });
  });
  ScanOnGpu(pictures * bins.count, bins.ends, scratch, stream);
  if (!scratch->complete()) return;
  ForEach(pictures * footprints, stream, [=] __device__(int64_t i) {
    Footprint footprint;
    if (!find(i, &footprint)) return;
    const int64_t picture = i / footprints;
    bins.VisitBins(picture, footprint, [&](int64_t bin) {
      bins.entries[atomicAdd(&bins.ends[bin], Count{1})] =
          static_cast<int>(i - picture * footprints);
    });
  });
}

// The part of a footprint within a tile, counted from the tile's first row and column.
struct alignas(4) TilePart {
  unsigned char top, bottom, left, right;

  UNSUP3D_HOST_DEVICE static TilePart Of(const Footprint& footprint,
                                         const Footprint& tile) {
    const PixelRange rows = Intersect(footprint.rows, tile.rows);
    const PixelRange columns = Intersect(footprint.columns, tile.columns);
    return {static_cast<unsigned char>(rows.begin - tile.rows.begin),
            static_cast<unsigned char>(rows.end - tile.rows.begin),
            static_cast<unsigned char>(columns.begin - tile.columns.begin),
            static_cast<unsigned char>(columns.end - tile.columns.begin)};
  }
  UNSUP3D_HOST_DEVICE bool Contains(int row, int column) const {
    return top <= row && row < bottom && left <= column && column < right;
  }
};

// Calls `visit(candidate)`, in any order, for those footprints in the bins of a tile
// that contain the thread's pixel. `find(i)` returns footprint i of the picture, and
// `load(i)` the candidate: what has to be known of it. All threads of a tile must call
// this.
//
// The threads load kThreads candidates at a time into shared memory, one each, and then
// each of them goes through all of those that meet the tile.
template <typename Candidate, typename Find, typename Load, typename Visit>
__device__ void VisitCandidates(const Bins& bins, const TilePixel& pixel, Find find,
                                Load load, Visit visit) {
  __shared__ TilePart parts[kThreads];
  __shared__ Candidate candidates[kThreads];
  __shared__ int found;
  const int thread = threadIdx.x;
  const int row = pixel.row - pixel.tile.rows.begin;
  const int column = pixel.column - pixel.tile.columns.begin;
  const int tile_row = pixel.tile.rows.begin / kTileSide;
  const int tile_column = pixel.tile.columns.begin / kTileSide;
  for (BinLevel at = bins.tiles;; at = at.Next()) {
    const int64_t bin = pixel.picture * bins.count +
                        at.At(tile_row >> at.level, tile_column >> at.level);
    const Count end = bins.ends[bin];
    for (Count first = bins.begin(bin); first < end; first += kThreads) {
      if (thread == 0) found = 0;
      __syncthreads();
      if (first + thread < end) {
        const int i = bins.entries[first + thread];
        const Footprint footprint = find(i);
        if (Meet(footprint, pixel.tile)) {
          const int place = atomicAdd(&found, 1);
          parts[place] = TilePart::Of(footprint, pixel.tile);
          candidates[place] = load(i);
        }
      }
      __syncthreads();
      for (int i = 0; i < found; ++i) {
        if (parts[i].Contains(row, column)) visit(candidates[i]);
      }
      __syncthreads();
    }
    if (at.is_last()) return;
  }
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_BINS_H_
