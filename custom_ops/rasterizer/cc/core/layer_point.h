// The point of the surface that a layer of a pixel shows.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_LAYER_POINT_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_LAYER_POINT_H_

#include "core/geometry.h"
#include "core/mesh_view.h"
#include "core/picture_inputs.h"
#include "core/pixel_layers.h"

namespace unsup3d {

// The position of a pixel, and the triangle of the sharp layer there.
struct Place {
  Real px, py;         // the pixel's centre
  int sharp_triangle;  // kSharp if there is none
};

// A point of the surface.
struct LayerPoint {
  int triangle;  // negative if the layer shows the background, so there is no point
  Real barycentric[3], depth;
};

// Finds the point that a layer shows, given its `fragment`.
template <typename T>
UNSUP3D_HOST_DEVICE inline LayerPoint FindLayerPoint(const MeshView<T>& mesh,
                                                     const PixelLayers<Real>& pixel,
                                                     int fragment, const Place& place) {
  LayerPoint point;
  if (fragment != kSharp) {
    point.triangle = pixel.soft_fragments[fragment].edge / 3;
    point.depth = pixel.soft_fragments[fragment].depth;
    SoftFragmentBarycentric(pixel.soft_fragments[fragment], point.barycentric);
    return point;
  }
  point.triangle = place.sharp_triangle;
  if (place.sharp_triangle >= 0) {
    SurfacePoint<Real> sharp = {};
    mesh.Cover(place.sharp_triangle, place.px, place.py, &sharp);
    for (int k = 0; k < 3; ++k) point.barycentric[k] = sharp.barycentric[k];
    point.depth = sharp.depth;
  }
  return point;
}

// Calls `visit(point, weight)` for those layers of a pixel, in order, that have a
// positive weight and show the surface.
template <typename T, typename Visit>
UNSUP3D_HOST_DEVICE inline void VisitPoints(const MeshView<T>& mesh,
                                            const PixelLayers<Real>& pixel,
                                            const Place& place, Visit visit) {
  for (Layer<Real> layer = pixel.FirstLayer();; layer = pixel.NextLayer(layer)) {
    if (layer.Weight() > 0) {
      const LayerPoint point = FindLayerPoint(mesh, pixel, layer.fragment, place);
      if (point.triangle >= 0) visit(point, layer.Weight());
    }
    if (layer.fragment == kSharp) break;
  }
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_LAYER_POINT_H_
