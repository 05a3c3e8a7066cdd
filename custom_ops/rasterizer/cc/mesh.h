// A picture's mesh made ready for drawing: lists of what can be seen.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_MESH_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_MESH_H_

#include <vector>

#include "geometry.h"
#include "mesh_view.h"
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
  Mesh(Mesh&&) = default;  // not copied: `view_` points into `facings_`
  Mesh& operator=(Mesh&&) = default;

  Mesh(const Surface<T>& surface, const Options& options)
      : facings_(surface.triangle_count),
        view_{surface.vertices, surface.triangles, surface.neighbors, facings_.data()} {
    drawn_.reserve(surface.triangle_count);
    Footprint footprint;
    for (int f = 0; f < surface.triangle_count; ++f) {
      facings_[f] = view_.FindDrawnFacing(f, options.cull_backfaces);
      if (view_.FindTriangle(f, surface.width, surface.height, &footprint)) {
        drawn_.push_back({f, footprint});
      }
    }
    for (int e = 0; e < 3 * surface.triangle_count; ++e) {
      if (view_.FindSilhouette(e, options.margin, surface.width, surface.height,
                               &footprint)) {
        silhouettes_.push_back({e, footprint});
      }
    }
  }

  const MeshView<T>& view() const { return view_; }
  // By ascending index: triangles, and edges.
  const std::vector<Placed>& drawn() const { return drawn_; }
  const std::vector<Placed>& silhouettes() const { return silhouettes_; }

 private:
  std::vector<Facing> facings_;
  MeshView<T> view_ = {};
  std::vector<Placed> drawn_, silhouettes_;
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_MESH_H_
