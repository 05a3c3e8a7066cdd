// The mesh of one picture, prepared for drawing: lists of the triangles and silhouette
// edges that can be seen in each band.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_MESH_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_MESH_H_

#include <algorithm>
#include <vector>

#include "core/bands.h"
#include "core/geometry.h"
#include "core/mesh_view.h"
#include "core/pack.h"
#include "core/picture_inputs.h"
#include "core/pixel_range.h"
#include "core/triangle_block.h"

namespace unsup3d {

// A triangle or an edge, and where it can be seen.
struct Placed {
  int index;
  Footprint footprint;
};

// The lists are built in two steps, chunk by chunk of the triangles: FindFacings or
// PlaceTriangles for all chunks first, then PlaceSilhouettes. The chunks of one step
// may be processed concurrently.
template <typename T>
class Mesh {
 public:
  Mesh(const Surface<T>& surface, const Options& options, const Bands& bands)
      : surface_(surface),
        options_(options),
        bands_(bands),
        facings_(surface.triangle_count),
        view_{surface.vertices, surface.triangles, surface.neighbors, facings_.data()},
        triangles_(chunks() * bands.count()),
        silhouettes_(chunks() * bands.count()) {}
  Mesh(Mesh&&) = default;  // copying is not possible: `view_` points into `facings_`

  int chunks() const { return (surface_.triangle_count + kChunk - 1) / kChunk; }

  // Replaces PlaceTriangles where the lists of triangles are not needed.
  void FindFacings(int chunk) {
    VisitBlocks(chunk, [](int, const TriangleBlock&) {});
  }

  void PlaceTriangles(int chunk) {
    std::vector<Placed> found(End(chunk) - Begin(chunk));
    size_t count = 0;
    VisitBlocks(chunk, [&](int first, const TriangleBlock& block) {
      alignas(64) Real left[kBlock], top[kBlock], right[kBlock], bottom[kBlock];
      bool in_front[kBlock];
      for (int i = 0; i < kBlock; i += kLanes) {
        Vertex<Pack> corners[3];
        block.Corners(i, corners);
        Bounds<Pack> bounds = NoBounds<Pack>();
        for (const Vertex<Pack>& corner : corners) bounds.Extend(corner);
        bounds.left.Store(left + i);
        bounds.top.Store(top + i);
        bounds.right.Store(right + i);
        bounds.bottom.Store(bottom + i);
        const PackMask visible =
            IsVisible(corners[0]) & IsVisible(corners[1]) & IsVisible(corners[2]);
        for (int lane = 0; lane < kLanes; ++lane) in_front[i + lane] = visible[lane];
      }
      const int size = std::min(kBlock, End(chunk) - first);
      for (int i = 0; i < size; ++i) {
        const int f = first + i;
        if (!view_.is_drawn(f)) continue;
        Bounds<Real> bounds = {left[i], top[i], right[i], bottom[i]};
        if (!in_front[i]) {
          Vertex<Real> corners[3];
          view_.Corners(f, corners);
          bounds = TriangleBounds(corners);
        }
        // Half of all small triangles meet no pixel centre, so a branch would be
        // unpredictable.
        Placed& placed = found[count];
        placed.index = f;
        count += FindFootprint(bounds, 0, surface_.width, surface_.height,
                               &placed.footprint);
      }
    });
    found.resize(count);
    Place(found, chunk, &triangles_);
  }

  void PlaceSilhouettes(int chunk) {
    if (!(options_.margin > 0)) return;
    std::vector<Placed> found;
    for (int f = Begin(chunk); f < End(chunk); ++f) {
      const Facing facing = facings_[f];
      if (facing == Facing::kNone) continue;
      for (int e = 3 * f; e < 3 * f + 3; ++e) {
        const int neighbor = surface_.neighbors[e];
        // This skips almost all edges.
        if (neighbor >= 0 && facings_[neighbor] == facing) continue;
        Footprint footprint;
        if (view_.FindSilhouette(e, options_.margin, surface_.width, surface_.height,
                                 &footprint)) {
          found.push_back({e, footprint});
        }
      }
    }
    Place(found, chunk, &silhouettes_);
  }

  const MeshView<T>& view() const { return view_; }
  const Bands& bands() const { return bands_; }

  // Call `visit(placed)` by ascending index for the triangles, or the silhouette edges,
  // whose footprint meets the band.
  template <typename Visit>
  void VisitTriangles(int band, Visit visit) const {
    VisitPlaced(triangles_, band, visit);
  }
  template <typename Visit>
  void VisitSilhouettes(int band, Visit visit) const {
    VisitPlaced(silhouettes_, band, visit);
  }

 private:
  using Lists = std::vector<std::vector<Placed>>;  // [chunks, bands]

  static constexpr int kChunk = 4096;

  int Begin(int chunk) const { return chunk * kChunk; }
  int End(int chunk) const {
    return std::min((chunk + 1) * kChunk, surface_.triangle_count);
  }

  // Finds the facings of a chunk and calls `visit(first triangle, block)` for each
  // block of its triangles.
  template <typename Visit>
  void VisitBlocks(int chunk, Visit visit) {
    TriangleBlock block;
    for (int first = Begin(chunk); first < End(chunk); first += kBlock) {
      const int size = std::min(kBlock, End(chunk) - first);
      for (int i = 0; i < size; ++i) block.Set(i, view_, first + i, 0, 0);
      for (int i = size; i < kBlock; ++i) block.Repeat(0, i);
      alignas(64) Real volumes[kBlock], depths[kBlock];
      for (int i = 0; i < kBlock; i += kLanes) {
        Vertex<Pack> corners[3];
        block.Corners(i, corners);
        SignedVolume(corners[0], corners[1], corners[2]).Store(volumes + i);
        (corners[0].z * corners[1].z * corners[2].z).Store(depths + i);
      }
      for (int i = 0; i < size; ++i) {
        facings_[first + i] =
            DrawnFacing(volumes[i], depths[i], options_.cull_backfaces);
      }
      visit(first, block);
    }
  }

  // Adds what was found in a chunk to the lists of its bands.
  void Place(const std::vector<Placed>& found, int chunk, Lists* lists) const {
    std::vector<Placed>* const of_chunk = lists->data() + chunk * bands_.count();
    std::vector<int> counts(bands_.count());
    for (const Placed& placed : found) {
      const PixelRange among = bands_.Holding(placed.footprint.rows);
      for (int band = among.begin; band < among.end; ++band) ++counts[band];
    }
    for (int band = 0; band < bands_.count(); ++band) {
      of_chunk[band].reserve(counts[band]);
    }
    for (const Placed& placed : found) {
      const PixelRange among = bands_.Holding(placed.footprint.rows);
      for (int band = among.begin; band < among.end; ++band) {
        of_chunk[band].push_back(placed);
      }
    }
  }

  template <typename Visit>
  void VisitPlaced(const Lists& lists, int band, Visit visit) const {
    for (size_t i = band; i < lists.size(); i += bands_.count()) {
      for (const Placed& placed : lists[i]) visit(placed);
    }
  }

  Surface<T> surface_;
  Options options_;
  Bands bands_;
  std::vector<Facing> facings_;
  MeshView<T> view_;
  Lists triangles_, silhouettes_;
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_MESH_H_
