// Launches kernels over a range of indices or over the tiles of pictures.
//
// Without a CUDA compiler, kernels run in an emulation on the host, see
// emulation/cuda.h.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_LAUNCH_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_LAUNCH_H_

#include <algorithm>
#include <cstdint>

#ifdef __CUDACC__
#include <cuda_runtime.h>
#else
#include "gpu/emulation/cuda.h"
#endif

#include "core/pixel_range.h"
#include "gpu/interface.h"

namespace unsup3d {

constexpr int kTileSide = 16;  // pixels
constexpr int kThreads = kTileSide * kTileSide;
constexpr int64_t kMaxBlocks = 1 << 20;

using Count = unsigned long long;  // a type that CUDA's atomic functions accept

inline GpuStatus MakeStatus(cudaError_t error) {
  if (error == cudaSuccess) return {};
  return {GpuStatus::kCudaError, 0, cudaGetErrorString(error)};
}

// Launches a kernel with kThreads threads in each block. `blocks` is limited to
// kMaxBlocks, so the kernel must loop over what is left.
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
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < count;
       i += step) {
    body(i);
  }
}

// Runs `body(i)` for all 0 <= i < count, in parallel.
template <typename Body>
void ForEach(int64_t count, cudaStream_t stream, const Body& body) {
  Launch(ForEachKernel<Body>, (count + kThreads - 1) / kThreads, stream, count, body);
}

// The pixel of a tile that the current thread processes.
struct TilePixel {
  int64_t picture;
  Footprint tile;
  int row, column;  // may be beyond the right or bottom border of the picture
};

template <typename Body>
__global__ void ForEachTileKernel(int64_t pictures, int height, int width, Body body) {
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
// pixel of the tile. All threads of a tile run, even beyond the picture, so that they
// can cooperate.
template <typename Body>
void ForEachTile(int64_t pictures, int height, int width, cudaStream_t stream,
                 const Body& body) {
  const int64_t rows = (height + kTileSide - 1) / kTileSide;
  const int64_t columns = (width + kTileSide - 1) / kTileSide;
  Launch(ForEachTileKernel<Body>, pictures * rows * columns, stream, pictures, height,
         width, body);
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_LAUNCH_H_
