// CUDA kernels that find the layers of pictures.
//
// The functions of a triangle, an edge and a pixel are those of the CPU kernels, and
// each pixel processes triangles and edges in the same order. With fused products
// switched off, the results are therefore the same. They do not depend on the order in
// which threads run:
//
// * Each pixel belongs to one thread, which loops over the footprints that meet its
//   tile. Each tile thus has to look at all triangles once and at all edges twice.
// * Soft fragments are counted first and then stored in exactly the memory they need.
//   The place of a pixel's fragments in memory depends on the order of threads, but the
//   fragments themselves do not.

#include "gpu/layers.h"

#include <cmath>
#include <cstdint>

#include "core/geometry.h"
#include "core/layer_point.h"
#include "core/mesh_view.h"
#include "core/picture_inputs.h"
#include "core/pixel_layers.h"
#include "core/pixel_range.h"
#include "gpu/launch.h"

namespace unsup3d {
namespace {

// Finds facings and footprints. If any value is invalid nothing is drawn, so that no
// index is used that is out of range.
template <typename T>
void FindFootprints(const GpuLayers<T>& layers, cudaStream_t stream) {
  const int count = layers.batch.first.triangle_count;
  ForEach(layers.batch.size * count, stream, [=] __device__(int64_t i) {
    layers.facings[i] = Facing::kNone;
    layers.triangles[i] = Footprint{{0, 0}, {0, 0}};
    if (layers.findings->invalid_values) return;
    Vertex<Real> corners[3];
    layers.mesh(i / count).Corners(static_cast<int>(i % count), corners);
    layers.facings[i] = DrawnFacing(SignedVolume(corners[0], corners[1], corners[2]),
                                    corners[0].z * corners[1].z * corners[2].z,
                                    layers.options.cull_backfaces);
    Footprint footprint;
    if (layers.facings[i] != Facing::kNone &&
        FindFootprint(TriangleBounds(corners), 0, layers.batch.first.width,
                      layers.batch.first.height, &footprint)) {
      layers.triangles[i] = footprint;
    }
  });
  // This needs the facings of all triangles.
  ForEach(layers.batch.size * count * 3, stream, [=] __device__(int64_t i) {
    const int64_t picture = i / 3 / count;
    const int edge = static_cast<int>(i - picture * count * 3);
    Footprint footprint;
    const bool found = layers.mesh(picture).FindSilhouette(
        edge, layers.options.margin, layers.batch.first.width,
        layers.batch.first.height, &footprint);
    layers.silhouettes[i] = found ? footprint : Footprint{{0, 0}, {0, 0}};
  });
}

// Calls `visit(fragment)` for each soft fragment of the thread's pixel, by ascending
// edge index.
template <typename T, typename Visit>
__device__ void VisitSoftFragments(const GpuLayers<T>& layers, const TilePixel& at,
                                   Visit visit) {
  const Surface<T>& first = layers.batch.first;
  const MeshView<T> mesh = layers.mesh(at.picture);
  const int count = 3 * first.triangle_count;
  VisitFootprints(layers.silhouettes + at.picture * count, count, at, [&](int edge) {
    const int64_t in_picture = static_cast<int64_t>(at.row) * first.width + at.column;
    EdgePart<Real> part;
    mesh.VisiblePart(edge, &part);
    SoftFragment<Real> fragment;
    fragment.pixel = static_cast<int>(in_picture);
    fragment.edge = edge;
    if (FindSoftFragment(part, at.column + 0.5, at.row + 0.5,
                         Real(layers.options.margin), Real(layers.options.depth_push),
                         layers.depths[at.picture * first.pixels() + in_picture],
                         &fragment)) {
      visit(fragment);
    }
  });
}

template <typename T>
void CountSoftFragments(const GpuLayers<T>& layers, cudaStream_t stream) {
  const int height = layers.batch.first.height;
  const int width = layers.batch.first.width;
  ForEachTile(layers.batch.size, height, width, stream,
              [=] __device__(const TilePixel& at) {
    int count = 0;
    VisitSoftFragments(layers, at, [&](const SoftFragment<Real>&) { ++count; });
    if (at.row >= height || at.column >= width) return;
    const int64_t i = (at.picture * height + at.row) * width + at.column;
    layers.soft_fragment_counts[i] = count;
    layers.first_soft_fragments[i] =
        count > 0
            ? atomicAdd(&layers.findings->soft_fragments, static_cast<Count>(count))
            : 0;
  });
}

template <typename T>
void StoreSoftFragments(const GpuLayers<T>& layers, cudaStream_t stream) {
  const int height = layers.batch.first.height;
  const int width = layers.batch.first.width;
  ForEachTile(layers.batch.size, height, width, stream,
              [=] __device__(const TilePixel& at) {
    SoftFragment<Real>* next = nullptr;
    if (at.row < height && at.column < width) {
      next =
          layers.soft_fragments +
          layers
              .first_soft_fragments[(at.picture * height + at.row) * width + at.column];
    }
    VisitSoftFragments(layers, at, [&](const SoftFragment<Real>& fragment) {
      *next = fragment;
      ++next;
    });
  });
}

}  // namespace

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
  const int64_t triangles = batch.size * first.triangle_count;
  const int64_t pixels = batch.size * first.pixels();
  *layers = {batch,
             options,
             scratch->Get<Findings>(1),
             scratch->Get<Facing>(triangles),
             scratch->Get<Footprint>(triangles),
             scratch->Get<Footprint>(triangles * 3),
             scratch->Get<Real>(pixels),
             scratch->Get<int>(pixels),
             scratch->Get<Count>(pixels),
             nullptr};
  if (!scratch->complete()) return {GpuStatus::kOutOfMemory};

  Findings* const findings = layers->findings;
  cudaMemsetAsync(findings, 0, sizeof(Findings), stream);
  cudaMemsetAsync(&findings->invalid_id_pixel, 0xff, sizeof(Count), stream);
  const int64_t corners = 3 * static_cast<int64_t>(first.triangle_count);
  CheckIndices(first.triangles, corners, 0, first.vertex_count, findings, stream);
  CheckIndices(first.neighbors, corners, -1, first.triangle_count, findings, stream);
  CheckFinite(first.vertices, batch.size * first.vertex_count * 3, findings, stream);
  FindFootprints(*layers, stream);
  return {};
}

template <typename T>
void DrawSharpOnGpu(const GpuLayers<T>& layers, int* ids, cudaStream_t stream) {
  const int height = layers.batch.first.height;
  const int width = layers.batch.first.width;
  ForEachTile(layers.batch.size, height, width, stream,
              [=] __device__(const TilePixel& at) {
    const MeshView<T> mesh = layers.mesh(at.picture);
    const int count = layers.batch.first.triangle_count;
    int nearest = kSharp;
    Real depth = HUGE_VAL;
    VisitFootprints(layers.triangles + at.picture * count, count, at, [&](int f) {
      SurfacePoint<Real> point;
      if (!mesh.Cover(f, at.column + 0.5, at.row + 0.5, &point)) return;
      if (point.depth < depth) {
        depth = point.depth;
        nearest = f;
      }
    });
    if (at.row >= height || at.column >= width) return;
    const int64_t i = (at.picture * height + at.row) * width + at.column;
    ids[i] = nearest;
    layers.depths[i] = depth;
  });
}

template <typename T>
void FindDepthsOnGpu(const GpuLayers<T>& layers, const int* ids, cudaStream_t stream) {
  ForEach(layers.pixels(), stream, [=] __device__(int64_t i) {
    layers.depths[i] = HUGE_VAL;
    if (ids[i] == kSharp) return;
    const MeshView<T> mesh = layers.mesh(i / layers.batch.first.pixels());
    const Place place = layers.place(i, ids[i]);
    SurfacePoint<Real> point;
    if (ids[i] < 0 || ids[i] >= layers.batch.first.triangle_count ||
        !mesh.Cover(ids[i], place.px, place.py, &point)) {
      atomicMin(&layers.findings->invalid_id_pixel, static_cast<Count>(i));
      return;
    }
    layers.depths[i] = point.depth;
  });
}

template <typename T>
GpuStatus GatherSoftFragments(cudaStream_t stream, Scratch* scratch,
                              GpuLayers<T>* layers, Findings* findings) {
  CountSoftFragments(*layers, stream);
  const GpuStatus status =
      CopyToHost(findings, layers->findings, sizeof(Findings), stream);
  if (!status.ok()) return status;
  if (findings->invalid_values) return {GpuStatus::kInvalidValues};
  layers->soft_fragments =
      scratch->Get<SoftFragment<Real>>(static_cast<int64_t>(findings->soft_fragments));
  if (!scratch->complete()) return {GpuStatus::kOutOfMemory};
  StoreSoftFragments(*layers, stream);
  return {};
}

#define INSTANTIATE(T)                                                             \
  template GpuStatus PlaceMesh<T>(const Batch<Surface<T>>&, const Options&,        \
                                  cudaStream_t, Scratch*, GpuLayers<T>*);          \
  template void CheckFinite<T>(const T*, int64_t, Findings*, cudaStream_t);        \
  template void DrawSharpOnGpu<T>(const GpuLayers<T>&, int*, cudaStream_t);        \
  template void FindDepthsOnGpu<T>(const GpuLayers<T>&, const int*, cudaStream_t); \
  template GpuStatus GatherSoftFragments<T>(cudaStream_t, Scratch*, GpuLayers<T>*, \
                                            Findings*)

INSTANTIATE(float);
INSTANTIATE(double);

#undef INSTANTIATE

}  // namespace unsup3d
