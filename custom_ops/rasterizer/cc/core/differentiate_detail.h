// The derivative of which mipmaps a point of a surface shows: the reverse of detail.h.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DIFFERENTIATE_DETAIL_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DIFFERENTIATE_DETAIL_H_

#include "core/detail.h"
#include "core/differentiate_layers.h"
#include "core/geometry.h"
#include "core/mesh_view.h"
#include "core/mipmaps.h"
#include "core/picture_inputs.h"
#include "core/shading.h"
#include "core/texture_step.h"

namespace unsup3d {

// Propagates the derivative with respect to the level to the vertices and UVs of the
// point's triangle in `sink`, see AddVertexGradient and UvGradient, and adds that with
// respect to the point to `barycentric_gradient`.
template <typename T, typename Sink>
UNSUP3D_HOST_DEVICE inline void DetailGradient(const Material<T>& material,
                                               const MeshView<T>& mesh,
                                               const MaterialPoint<Real>& point,
                                               Real detail_gradient, Sink& sink,
                                               Real barycentric_gradient[3]) {
  if (detail_gradient == 0) return;
  const TexturedPoint<Real> at = FindTexturedPoint(material, mesh, point);
  const TextureStep<Real> step = FindTextureStep(at);
  TexturedPoint<Real> gradient = {};
  TextureStepGradient(at, step, detail_gradient * DetailLevelSlope(step.squared_length),
                      &gradient);
  for (int k = 0; k < 3; ++k) {
    barycentric_gradient[k] += gradient.barycentric[k];
    AddVertexGradient(mesh.Corner(point.triangle, k), gradient.corners[k], sink);
    if (!sink.wants_uv()) continue;
    const auto sums = sink.UvSums(material.uv_triangles[3 * point.triangle + k]);
    sink.Add(&sums[0], gradient.texels[k][0] * material.texture_levels.width);
    sink.Add(&sums[1], gradient.texels[k][1] * material.texture_levels.height);
  }
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DIFFERENTIATE_DETAIL_H_
