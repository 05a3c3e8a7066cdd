// The mesh of one picture as plain arrays: which of its triangles and edges are drawn,
// and where.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_MESH_VIEW_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_MESH_VIEW_H_

#include <cstdint>

#include "core/geometry.h"
#include "core/picture_inputs.h"
#include "core/pixel_range.h"

namespace unsup3d {

// The side of a triangle that is visible, kNone if the triangle is not drawn.
UNSUP3D_HOST_DEVICE inline Facing DrawnFacing(Real signed_volume, Real depth_product,
                                              bool cull_backfaces) {
  const Facing facing = FindFacing(signed_volume, depth_product);
  return facing == Facing::kBack && cull_backfaces ? Facing::kNone : facing;
}

// The index of an edge is 3 * triangle + opposite corner.
template <typename T>
struct MeshView {
  const T* vertices;      // [vertices, 3]
  const int* triangles;   // [triangles, 3]
  const int* neighbors;   // [triangles, 3]
  const Facing* facings;  // [triangles], see DrawnFacing

  UNSUP3D_HOST_DEVICE inline Vertex<Real> At(int vertex) const {
    const T* v = vertices + 3 * static_cast<int64_t>(vertex);
    return {Real(v[0]), Real(v[1]), Real(v[2])};
  }
  UNSUP3D_HOST_DEVICE inline int Corner(int triangle, int corner) const {
    return triangles[3 * triangle + corner];
  }
  UNSUP3D_HOST_DEVICE inline void Corners(int triangle, Vertex<Real> corners[3]) const {
    for (int k = 0; k < 3; ++k) corners[k] = At(Corner(triangle, k));
  }
  UNSUP3D_HOST_DEVICE inline int First(int edge) const {
    return Corner(edge / 3, (edge + 1) % 3);
  }
  UNSUP3D_HOST_DEVICE inline int Second(int edge) const {
    return Corner(edge / 3, (edge + 2) % 3);
  }
  UNSUP3D_HOST_DEVICE inline bool is_drawn(int triangle) const {
    return facings[triangle] != Facing::kNone;
  }

  // Finds the part of an edge in front of the camera. Returns whether there is one.
  UNSUP3D_HOST_DEVICE inline bool VisiblePart(int edge, EdgePart<Real>* part) const {
    return ClipEdge(At(First(edge)), At(Second(edge)), part);
  }

  // Whether an edge owns soft fragments.
  UNSUP3D_HOST_DEVICE inline bool IsSilhouette(int edge) const {
    const int triangle = edge / 3;
    const int neighbor = neighbors[edge];
    if (!is_drawn(triangle)) return false;
    if (neighbor < 0 || !is_drawn(neighbor)) return true;
    if (facings[neighbor] == facings[triangle]) return false;
    // At a fold both triangles lie on the same side of the edge. The one in front owns
    // the edge, so that the soft layer continues the colours that are seen there. The
    // UVs of the one behind may differ.
    const bool is_front = facings[triangle] == Facing::kFront;
    Vertex<Real> front[3], back[3];
    Corners(is_front ? triangle : neighbor, front);
    Corners(is_front ? neighbor : triangle, back);
    return FrontHidesBack(front, back) == is_front;
  }

  // Finds the pixels within the margin of an edge. Returns whether there are any.
  UNSUP3D_HOST_DEVICE inline bool EdgeFootprint(int edge, Real margin, int width,
                                                int height,
                                                Footprint* footprint) const {
    EdgePart<Real> part;
    return VisiblePart(edge, &part) &&
           FindFootprint(EdgeBounds(part), margin, width, height, footprint);
  }

  // Finds the pixels in which an edge may own soft fragments. Returns whether there are
  // any.
  UNSUP3D_HOST_DEVICE inline bool FindSilhouette(int edge, Real margin, int width,
                                                 int height,
                                                 Footprint* footprint) const {
    return margin > 0 && IsSilhouette(edge) &&
           EdgeFootprint(edge, margin, width, height, footprint);
  }

  // Returns whether a triangle is drawn and covers the pixel centre (px, py), and finds
  // the point seen there.
  UNSUP3D_HOST_DEVICE inline bool Cover(int triangle, Real px, Real py,
                                        SurfacePoint<Real>* point) const {
    if (!is_drawn(triangle)) return false;
    Vertex<Real> corners[3];
    Corners(triangle, corners);
    return CoverPixel(corners, px, py, point);
  }
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_MESH_VIEW_H_
