// Launching kernels: over a range of indices, and over the tiles of pictures.
//
// Without a CUDA compiler, kernels run in an emulation on the host, see
// cuda_emulation.h.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_LAUNCH_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_LAUNCH_H_

#include <algorithm>
#include <cstdint>

#ifdef __CUDACC__
#include <cuda_runtime.h>
#else
#include "gpu/emulation/cuda.h"
#endif

#include "gpu/interface.h"
#include "core/pixel_range.h"

namespace unsup3d {

constexpr int kTileSide = 16;  // pixels
constexpr int kThreads = kTileSide * kTileSide;
constexpr int64_t kMaxBlocks = 1 << 20;

inline GpuStatus MakeStatus(cudaError_t error) {
  if (error == cudaSuccess) return {};
  return {GpuStatus::kCudaError, 0, cudaGetErrorString(error)};
}

template <typename... Parameters, typename... Arguments>
void Launch(void (*kernel)(Parameters...), int64_t blocks, cudaStream_t stream,
            const Arguments&... arguments) {
  if (blocks == 0) return;
  const unsigned count = static_cast<unsigned>(std::min(blocks, kMaxBlocks));
#ifdef __CUDACC__
  kernel<<<count, kThreads, 0, stream>>>(arguments...);
#else
  EmulateLaunch(count, kThreads, stream, [&] { kernel(arguments...); });
#endif
}

template <typename Body>
__global__ void ForEachKernel(int64_t count, Body body) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
       i < count; i += step) {
    body(i);
  }
}

// Runs `body(i)` for all 0 <= i < count, each in a thread of its own.
template <typename Body>
void ForEach(int64_t count, cudaStream_t stream, const Body& body) {
  Launch(ForEachKernel<Body>, (count + kThreads - 1) / kThreads, stream, count,
         body);
}

// A pixel of a tile, and the thread that is there for it.
struct TilePixel {
  int64_t picture;
  Footprint tile;
  int row, column;  // beyond the picture, too, at its right and bottom
};

template <typename Body>
__global__ void ForEachTileKernel(int64_t pictures, int height, int width,
                                  Body body) {
  const int64_t rows = (height + kTileSide - 1) / kTileSide;
  const int64_t columns = (width + kTileSide - 1) / kTileSide;
  const int thread = threadIdx.x;
  for (int64_t t = blockIdx.x; t < pictures * rows * columns; t += gridDim.x) {
    const int top = static_cast<int>(t / columns % rows) * kTileSide;
    const int left = static_cast<int>(t % columns) * kTileSide;
    body(TilePixel{t / (rows * columns),
                   {{top, top + kTileSide}, {left, left + kTileSide}},
                   top + thread / kTileSide,
                   left + thread % kTileSide});
  }
}

// Runs `body(pixel)` with a block for each tile of the pictures and a thread for each
// of its pixels. All threads of a tile run, so that they can work together.
template <typename Body>
void ForEachTile(int64_t pictures, int height, int width, cudaStream_t stream,
                 const Body& body) {
  const int64_t rows = (height + kTileSide - 1) / kTileSide;
  const int64_t columns = (width + kTileSide - 1) / kTileSide;
  Launch(ForEachTileKernel<Body>, pictures * rows * columns, stream, pictures, height,
         width, body);
}

// Called by all threads of a tile. Calls `visit(i)` in each, for those 0 <= i < count
// in ascending order whose footprint meets its pixel.
//
// The threads test the footprints against the tile, each another one, and share the
// outcome as a set of bits: count / kThreads steps for each tile of the picture.
template <typename Visit>
__device__ void VisitFootprints(const Footprint* footprints, int count,
                                const TilePixel& pixel, Visit visit) {
  constexpr int kBits = 32;
  __shared__ unsigned meets_tile[kThreads / kBits];
  const int thread = threadIdx.x;
  for (int64_t first = 0; first < count; first += kThreads) {
    if (thread < kThreads / kBits) meets_tile[thread] = 0;
    __syncthreads();
    if (first + thread < count && Meet(footprints[first + thread], pixel.tile)) {
      atomicOr(&meets_tile[thread / kBits], 1u << thread % kBits);
    }
    __syncthreads();
    for (int word = 0; word < kThreads / kBits; ++word) {
      for (unsigned rest = meets_tile[word]; rest != 0; rest &= rest - 1) {
        const int i = static_cast<int>(first) + word * kBits + __ffs(rest) - 1;
        if (Contains(footprints[i], pixel.row, pixel.column)) visit(i);
      }
    }
    __syncthreads();
  }
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_LAUNCH_H_
