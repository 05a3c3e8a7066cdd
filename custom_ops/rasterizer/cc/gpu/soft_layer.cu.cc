// CUDA kernels of the soft layer. The functions of an edge are those of the CPU
// kernels, and the fragments of a pixel have the same order.
//
// Soft fragments are counted first and then stored in exactly the memory they need. The
// place of a pixel's fragments in memory depends on the order of threads, but the
// fragments themselves do not.

#include <cstdint>

#include "core/geometry.h"
#include "core/mesh_view.h"
#include "core/picture_inputs.h"
#include "core/pixel_layers.h"
#include "core/pixel_range.h"
#include "gpu/bins.h"
#include "gpu/launch.h"
#include "gpu/layers.h"

namespace unsup3d {
namespace {

// An edge that may own soft fragments at pixels of a tile.
struct SoftCandidate {
  int edge;
  EdgePart<Real> part;  // finding it takes divisions
};

// Finds and bins the silhouette edges, if there is enough scratch memory. This needs
// the facings of all triangles.
template <typename T>
Bins BinSilhouettes(const GpuLayers<T>& layers, Scratch* scratch, cudaStream_t stream) {
  const Surface<T>& first = layers.batch.first;
  const int64_t edges =
      layers.options.margin > 0 ? 3 * static_cast<int64_t>(first.triangle_count) : 0;
  const Bins bins =
      MakeBins(layers.batch.size, first.height, first.width, edges, scratch);
  if (!scratch->complete()) return bins;
  FillBins(bins, layers.batch.size, edges,
           [=] __device__(int64_t i, Footprint* footprint) {
    const int64_t picture = i / edges;
    return layers.mesh(picture).FindSilhouette(
        static_cast<int>(i - picture * edges), layers.options.margin,
        layers.batch.first.width, layers.batch.first.height, footprint);
  }, scratch, stream);
  return bins;
}

// Calls `visit(fragment)` for each soft fragment of the thread's pixel, in any order.
template <typename T, typename Visit>
__device__ void VisitSoftFragments(const GpuLayers<T>& layers, const TilePixel& at,
                                   Visit visit) {
  const Surface<T>& first = layers.batch.first;
  const Real margin = layers.options.margin;
  const MeshView<T> mesh = layers.mesh(at.picture);
  const int64_t in_picture = static_cast<int64_t>(at.row) * first.width + at.column;
  VisitCandidates<SoftCandidate>(layers.silhouettes, at, [&](int edge) {
    Footprint footprint = {};
    mesh.EdgeFootprint(edge, margin, first.width, first.height, &footprint);
    return footprint;
  }, [&](int edge) {
    SoftCandidate candidate = {edge, {}};
    mesh.VisiblePart(edge, &candidate.part);
    return candidate;
  }, [&](const SoftCandidate& candidate) {
    SoftFragment<Real> fragment;
    fragment.pixel = static_cast<int>(in_picture);
    fragment.edge = candidate.edge;
    if (FindSoftFragment(candidate.part, at.column + 0.5, at.row + 0.5, margin,
                         Real(layers.options.depth_push),
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
    SoftFragment<Real>* first = nullptr;
    if (at.row < height && at.column < width) {
      const int64_t i = (at.picture * height + at.row) * width + at.column;
      first = layers.soft_fragments + layers.first_soft_fragments[i];
    }
    int count = 0;
    VisitSoftFragments(layers, at, [&](const SoftFragment<Real>& fragment) {
      // Sorted by the edge.
      int place = count++;
      for (; place > 0 && first[place - 1].edge > fragment.edge; --place) {
        first[place] = first[place - 1];
      }
      first[place] = fragment;
    });
  });
}

}  // namespace

template <typename T>
GpuStatus GatherSoftFragments(cudaStream_t stream, Scratch* scratch,
                              GpuLayers<T>* layers, Findings* findings) {
  layers->silhouettes = BinSilhouettes(*layers, scratch, stream);
  if (!scratch->complete()) return {GpuStatus::kOutOfMemory};
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

template GpuStatus GatherSoftFragments<float>(cudaStream_t, Scratch*, GpuLayers<float>*,
                                              Findings*);
template GpuStatus GatherSoftFragments<double>(cudaStream_t, Scratch*,
                                               GpuLayers<double>*, Findings*);

}  // namespace unsup3d
