// Prefix sums on a GPU.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_SCAN_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_SCAN_H_

#include <algorithm>
#include <cstdint>

#include "gpu/launch.h"
#include "gpu/scratch.h"

namespace unsup3d {

// Each block computes the prefix sums of kThreads values at a time, and their total.
template <typename Integer>
__global__ void ScanPartsKernel(int64_t count, int64_t parts, Integer* values,
                                Integer* totals) {
  __shared__ Integer sums[kThreads];
  const int thread = threadIdx.x;
  for (int64_t part = blockIdx.x; part < parts; part += gridDim.x) {
    const int64_t i = part * kThreads + thread;
    const Integer value = i < count ? values[i] : 0;
    sums[thread] = value;
    // Before each step, each sum covers the last `reach` values.
    for (int reach = 1; reach < kThreads; reach *= 2) {
      __syncthreads();
      const Integer before = thread >= reach ? sums[thread - reach] : 0;
      __syncthreads();
      sums[thread] += before;
    }
    if (i < count) values[i] = sums[thread] - value;
    if (thread == kThreads - 1) totals[part] = sums[thread];
  }
}

// Replaces each value by the sum of all values before it, if there is enough scratch
// memory.
template <typename Integer>
void ScanOnGpu(int64_t count, Integer* values, Scratch* scratch, cudaStream_t stream) {
  const int64_t parts = (count + kThreads - 1) / kThreads;
  Integer* const totals = scratch->Get<Integer>(parts);
  if (!scratch->complete()) return;
  Launch(ScanPartsKernel<Integer>, parts, stream, count, parts, values, totals);
  if (parts <= 1) return;
  ScanOnGpu(parts, totals, scratch, stream);
  ForEach(count, stream,
          [=] __device__(int64_t i) { values[i] += totals[i / kThreads]; });
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_SCAN_H_
