// CUDA kernels of the sharp layer. The functions of a triangle are those of the CPU
// kernels. With fused products switched off, the results are therefore the same.

#include <cmath>
#include <cstdint>

#include "core/geometry.h"
#include "core/layer_point.h"
#include "core/mesh_view.h"
#include "core/picture_inputs.h"
#include "core/pixel_layers.h"
#include "core/pixel_range.h"
#include "gpu/bins.h"
#include "gpu/launch.h"
#include "gpu/layers.h"

namespace unsup3d {
namespace {

// The footprints of all triangles, [size, triangles]. It is empty for those that are
// not drawn.
template <typename T>
void FindFootprints(const GpuLayers<T>& layers, Footprint* footprints,
                    cudaStream_t stream) {
  const int64_t count = layers.batch.first.triangle_count;
  ForEach(layers.batch.size * count, stream, [=] __device__(int64_t i) {
    footprints[i] = Footprint{{0, 0}, {0, 0}};
    if (layers.facings[i] == Facing::kNone) return;
    Vertex<Real> corners[3];
    layers.mesh(i / count).Corners(static_cast<int>(i % count), corners);
    Footprint footprint;
    if (FindFootprint(TriangleBounds(corners), 0, layers.batch.first.width,
                      layers.batch.first.height, &footprint)) {
      footprints[i] = footprint;
    }
  });
}

// A triangle that may cover pixels of a tile.
template <typename T>
struct SharpCandidate {
  int triangle;
  Vertex<T> corners[3];  // in double precision they would take twice the memory
};

template <typename T>
__device__ SharpCandidate<T> LoadCandidate(const MeshView<T>& mesh, int triangle) {
  SharpCandidate<T> candidate = {triangle, {}};
  for (int k = 0; k < 3; ++k) {
    const T* v = mesh.vertices + 3 * static_cast<int64_t>(mesh.Corner(triangle, k));
    candidate.corners[k] = {v[0], v[1], v[2]};
  }
  return candidate;
}

template <typename T>
__device__ bool Cover(const SharpCandidate<T>& candidate, Real px, Real py,
                      SurfacePoint<Real>* point) {
  Vertex<Real> corners[3];
  for (int k = 0; k < 3; ++k) {
    const Vertex<T>& v = candidate.corners[k];
    corners[k] = {Real(v.x), Real(v.y), Real(v.z)};
  }
  return CoverPixel(corners, px, py, point);
}

}  // namespace

template <typename T>
GpuStatus DrawSharpOnGpu(const GpuLayers<T>& layers, cudaStream_t stream,
                         Scratch* scratch, int* ids) {
  const int64_t size = layers.batch.size;
  const int64_t count = layers.batch.first.triangle_count;
  const int height = layers.batch.first.height;
  const int width = layers.batch.first.width;
  Footprint* const footprints = scratch->Get<Footprint>(size * count);
  const Bins bins = MakeBins(size, height, width, count, scratch);
  if (!scratch->complete()) return {GpuStatus::kOutOfMemory};
  FindFootprints(layers, footprints, stream);
  FillBins(bins, size, count, [=] __device__(int64_t i, Footprint* footprint) {
    *footprint = footprints[i];
    return !footprint->rows.empty();
  }, scratch, stream);
  if (!scratch->complete()) return {GpuStatus::kOutOfMemory};

  ForEachTile(size, height, width, stream, [=] __device__(const TilePixel& at) {
    const MeshView<T> mesh = layers.mesh(at.picture);
    int nearest = kSharp;
    Real depth = HUGE_VAL;
    VisitCandidates<SharpCandidate<T>>(bins, at, [&](int f) {
      return footprints[at.picture * count + f];
    }, [&](int f) {
      return LoadCandidate(mesh, f);
    }, [&](const SharpCandidate<T>& candidate) {
      SurfacePoint<Real> point;
      if (!Cover(candidate, at.column + 0.5, at.row + 0.5, &point)) return;
      // Of equally near triangles the first one is seen.
      if (point.depth < depth ||
          (point.depth == depth && candidate.triangle < nearest)) {
        depth = point.depth;
        nearest = candidate.triangle;
      }
    });
    if (at.row >= height || at.column >= width) return;
    const int64_t i = (at.picture * height + at.row) * width + at.column;
    ids[i] = nearest;
    layers.depths[i] = depth;
  });
  return {};
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

#define INSTANTIATE(T)                                                              \
  template GpuStatus DrawSharpOnGpu<T>(const GpuLayers<T>&, cudaStream_t, Scratch*, \
                                       int*);                                       \
  template void FindDepthsOnGpu<T>(const GpuLayers<T>&, const int*, cudaStream_t)

INSTANTIATE(float);
INSTANTIATE(double);

#undef INSTANTIATE

}  // namespace unsup3d
