// A picture's mesh made ready for drawing: which triangles and edges take part, and
// where.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_MESH_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_MESH_H_

#include <vector>

#include "geometry.h"
#include "pixel_range.h"
#include "scene.h"

namespace unsup3d {

struct Placed {
  int index;
  Footprint footprint;
};

template <typename T>
class Mesh {
 public:
  Mesh() = default;

  Mesh(const Surface<T>& surface, const Options& options)
      : vertices_(surface.vertices),
        triangles_(surface.triangles),
        facings_(surface.triangle_count) {
    drawn_.reserve(surface.triangle_count);
    for (int f = 0; f < surface.triangle_count; ++f) {
      Vertex<Real> corners[3];
      Corners(f, corners);
      facings_[f] = FindFacing(corners[0], corners[1], corners[2]);
      if (facings_[f] == Facing::kBack && options.cull_backfaces) {
        facings_[f] = Facing::kNone;
      }
      if (is_drawn(f)) Place(f, TriangleBounds(corners), 0, surface, &drawn_);
    }
    if (!(options.margin > 0)) return;
    for (int f = 0; f < surface.triangle_count; ++f) {
      if (!is_drawn(f)) continue;
      for (int e = 3 * f; e < 3 * f + 3; ++e) {
        EdgePart<Real> part;
        if (IsSilhouette(f, surface.neighbors[e]) &&
            ClipEdge(At(First(e)), At(Second(e)), &part)) {
          Place(e, EdgeBounds(part), options.margin, surface, &silhouettes_);
        }
      }
    }
  }

  const std::vector<Placed>& drawn() const { return drawn_; }  // triangles
  // Edges, each as 3 * triangle + opposite corner, by ascending index.
  const std::vector<Placed>& silhouettes() const { return silhouettes_; }
  bool is_drawn(int triangle) const { return facings_[triangle] != Facing::kNone; }

  Vertex<Real> At(int vertex) const {
    const T* v = vertices_ + 3 * static_cast<int64_t>(vertex);
    return {Real(v[0]), Real(v[1]), Real(v[2])};
  }
  int Corner(int triangle, int corner) const {
    return triangles_[3 * triangle + corner];
  }
  void Corners(int triangle, Vertex<Real> corners[3]) const {
    for (int k = 0; k < 3; ++k) corners[k] = At(Corner(triangle, k));
  }
  int First(int edge) const { return Corner(edge / 3, (edge + 1) % 3); }
  int Second(int edge) const { return Corner(edge / 3, (edge + 2) % 3); }

 private:
  // Whether a drawn triangle owns fragments at its edge to a neighbour, or to none.
  bool IsSilhouette(int triangle, int neighbor) const {
    if (neighbor < 0) return true;
    if (facings_[neighbor] == facings_[triangle]) return false;
    if (!is_drawn(neighbor)) return true;
    // Both triangles lie on the same side of a fold. The one in front owns it: the
    // soft layer continues the colours seen there, though UVs may differ behind.
    const bool is_front = facings_[triangle] == Facing::kFront;
    Vertex<Real> front[3], back[3];
    Corners(is_front ? triangle : neighbor, front);
    Corners(is_front ? neighbor : triangle, back);
    return FrontHidesBack(front, back) == is_front;
  }

  static void Place(int index, const Bounds<Real>& bounds, Real distance,
                    const Surface<T>& surface, std::vector<Placed>* list) {
    Footprint footprint;
    if (FindFootprint(bounds, distance, surface.width, surface.height,
                      &footprint)) {
      list->push_back({index, footprint});
    }
  }

  const T* vertices_ = nullptr;
  const int* triangles_ = nullptr;
  std::vector<Facing> facings_;  // kNone if not drawn
  std::vector<Placed> drawn_, silhouettes_;
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_MESH_H_
