// CUDA kernels that check values and find the facings of triangles.

#include "gpu/layers.h"

#include <cmath>
#include <cstdint>

#include "core/geometry.h"
#include "core/mesh_view.h"
#include "core/picture_inputs.h"
#include "gpu/launch.h"

namespace unsup3d {

GpuStatus CopyToHost(void* target, const void* source, int64_t bytes,
                     GpuStream stream) {
  cudaMemcpyAsync(target, source, bytes, cudaMemcpyDeviceToHost, stream);
  const cudaError_t launched = cudaGetLastError();
  const cudaError_t done = cudaStreamSynchronize(stream);
  return MakeStatus(launched != cudaSuccess ? launched : done);
}

void CheckIndices(const int* indices, int64_t count, int64_t lowest, int64_t end,
                  Findings* findings, cudaStream_t stream) {
  ForEach(count, stream, [=] __device__(int64_t i) {
    if (indices[i] < lowest || indices[i] >= end) findings->invalid_values = 1;
  });
}

template <typename T>
void CheckFinite(const T* values, int64_t count, Findings* findings,
                 cudaStream_t stream) {
  ForEach(count, stream, [=] __device__(int64_t i) {
    if (!std::isfinite(values[i])) findings->invalid_values = 1;
  });
}

template <typename T>
GpuStatus PlaceMesh(const Batch<Surface<T>>& batch, const Options& options,
                    cudaStream_t stream, Scratch* scratch, GpuLayers<T>* layers) {
  const Surface<T>& first = batch.first;
  const int64_t count = first.triangle_count;
  const int64_t pixels = batch.size * first.pixels();
  *layers = {batch,
             options,
             scratch->Get<Findings>(1),
             scratch->Get<Facing>(batch.size * count),
             {},
             scratch->Get<Real>(pixels),
             scratch->Get<int>(pixels),
             scratch->Get<Count>(pixels),
             nullptr};
  if (!scratch->complete()) return {GpuStatus::kOutOfMemory};

  Findings* const findings = layers->findings;
  cudaMemsetAsync(findings, 0, sizeof(Findings), stream);
  cudaMemsetAsync(&findings->invalid_id_pixel, 0xff, sizeof(Count), stream);
  CheckIndices(first.triangles, 3 * count, 0, first.vertex_count, findings, stream);
  CheckIndices(first.neighbors, 3 * count, -1, count, findings, stream);
  CheckFinite(first.vertices, batch.size * first.vertex_count * 3, findings, stream);
  // If any value is invalid nothing is drawn, so that no index is used that is out of
  // range.
  const GpuLayers<T> found = *layers;
  ForEach(batch.size * count, stream, [=] __device__(int64_t i) {
    found.facings[i] = Facing::kNone;
    if (findings->invalid_values) return;
    Vertex<Real> corners[3];
    found.mesh(i / count).Corners(static_cast<int>(i % count), corners);
    found.facings[i] =
        DrawnFacing(SignedVolume(corners[0], corners[1], corners[2]),
                    corners[0].z * corners[1].z * corners[2].z, options.cull_backfaces);
  });
  return {};
}

#define INSTANTIATE(T)                                                      \
  template void CheckFinite<T>(const T*, int64_t, Findings*, cudaStream_t); \
  template GpuStatus PlaceMesh<T>(const Batch<Surface<T>>&, const Options&, \
                                  cudaStream_t, Scratch*, GpuLayers<T>*)

INSTANTIATE(float);
INSTANTIATE(double);

#undef INSTANTIATE

}  // namespace unsup3d
