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

  Mesh(const Scene<T>& scene, const Options& options)
      : vertices_(scene.vertices),
        triangles_(scene.triangles()),
        is_drawn_(scene.triangle_count) {
    for (int f = 0; f < scene.triangle_count; ++f) {
      Vertex<Real> corners[3];
      Corners(f, corners);
      is_drawn_[f] =
          FindFacing(corners[0], corners[1], corners[2]) == Facing::kFront;
      if (is_drawn_[f]) Place(f, TriangleBounds(corners), 0, scene, &drawn_);
    }
    if (!(options.margin > 0)) return;
    for (int f = 0; f < scene.triangle_count; ++f) {
      if (!is_drawn_[f]) continue;
      for (int e = 3 * f; e < 3 * f + 3; ++e) {
        EdgePart<Real> part;
        if (IsSilhouette(scene.neighbors[e]) &&
            ClipEdge(At(First(e)), At(Second(e)), &part)) {
          Place(e, EdgeBounds(part), options.margin, scene, &silhouettes_);
        }
      }
    }
  }

  const std::vector<Placed>& drawn() const { return drawn_; }  // triangles
  // Edges, each as 3 * triangle + opposite corner, by ascending index.
  const std::vector<Placed>& silhouettes() const { return silhouettes_; }
  bool is_drawn(int triangle) const { return is_drawn_[triangle]; }

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
  // Whether an edge of a drawn triangle lies between it and one that is not drawn.
  bool IsSilhouette(int neighbor) const {
    return neighbor < 0 || !is_drawn_[neighbor];
  }

  static void Place(int index, const Bounds<Real>& bounds, Real distance,
                    const Scene<T>& scene, std::vector<Placed>* list) {
    Footprint footprint;
    if (FindFootprint(bounds, distance, scene.width, scene.height, &footprint)) {
      list->push_back({index, footprint});
    }
  }

  const T* vertices_ = nullptr;
  const int* triangles_ = nullptr;
  std::vector<char> is_drawn_;
  std::vector<Placed> drawn_, silhouettes_;
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_MESH_H_
