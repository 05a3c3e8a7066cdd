// Which mipmaps a point of a surface shows.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DETAIL_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DETAIL_H_

#include "core/geometry.h"
#include "core/mesh_view.h"
#include "core/mipmaps.h"
#include "core/picture_inputs.h"
#include "core/shading.h"
#include "core/texture_step.h"

namespace unsup3d {

// Whether the texture has mipmaps that are sampled.
template <typename T>
UNSUP3D_HOST_DEVICE inline bool HasDetail(const Material<T>& material) {
  return material.texture_levels.mipmaps > 0 && material.texture_channels > 0;
}

template <typename T>
UNSUP3D_HOST_DEVICE inline TexturedPoint<Real> FindTexturedPoint(
    const Material<T>& material, const MeshView<T>& mesh,
    const MaterialPoint<Real>& point) {
  TexturedPoint<Real> at;
  mesh.Corners(point.triangle, at.corners);
  for (int k = 0; k < 3; ++k) {
    const T* uv = CornerUv(material, point.triangle, k);
    at.texels[k][0] = Real(uv[0]) * material.texture_levels.width;
    at.texels[k][1] = Real(uv[1]) * material.texture_levels.height;
    at.barycentric[k] = point.barycentric[k];
  }
  return at;
}

// Finds out which level of the texture a point shows: the one whose texels are as large
// as a pixel. It is that of the triangle at this point, in the soft layer too.
template <typename T>
UNSUP3D_HOST_DEVICE inline DetailLevel<Real> FindDetail(
    const Material<T>& material, const MeshView<T>& mesh,
    const MaterialPoint<Real>& point) {
  if (!HasDetail(material)) return {0, 0};
  return FindDetailLevel(
      FindTextureStep(FindTexturedPoint(material, mesh, point)).squared_length,
      material.texture_levels.mipmaps);
}

// A point of a triangle, and how the texture is sampled there.
template <typename T>
UNSUP3D_HOST_DEVICE inline MaterialPoint<Real> FindDetailedPoint(
    const Material<T>& material, const MeshView<T>& mesh, int triangle,
    const Real barycentric[3]) {
  MaterialPoint<Real> point = FindMaterialPoint(material, triangle, barycentric);
  point.detail = FindDetail(material, mesh, point);
  return point;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DETAIL_H_
