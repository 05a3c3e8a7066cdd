// The point of the surface that a layer of a pixel shows.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_LAYER_POINT_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_LAYER_POINT_H_

#include <algorithm>

#include "fragments.h"
#include "mesh.h"
#include "scene.h"
#include "sharp_layer.h"

namespace unsup3d {

struct LayerPoint {
  int triangle;  // negative if the layer shows the background: there is no point then
  Real barycentric[3], depth;
};

// Finds what a layer shows, `fragment` of the pixel with the centre (px, py) or
// kSharp, and `sharp_triangle` the sharp surface there or kSharp for none.
template <typename T>
LayerPoint FindLayerPoint(const Mesh<T>& mesh, const Pixel<Real>& pixel, int fragment,
                          int sharp_triangle, Real px, Real py) {
  LayerPoint point;
  if (fragment != kSharp) {
    point.triangle = pixel.fragments[fragment].edge / 3;
    point.depth = pixel.fragments[fragment].depth;
    FragmentBarycentric(pixel.fragments[fragment], point.barycentric);
    return point;
  }
  point.triangle = sharp_triangle;
  if (sharp_triangle >= 0) {
    SurfacePoint<Real> sharp;
    FindSharpPoint(mesh, sharp_triangle, px, py, &sharp);
    std::copy_n(sharp.barycentric, 3, point.barycentric);
    point.depth = sharp.depth;
  }
  return point;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_LAYER_POINT_H_
