// The derivative of the colour of one pixel: the way of draw_pixel.h, backwards.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DIFFERENTIATE_PIXEL_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DIFFERENTIATE_PIXEL_H_

#include "core/draw_pixel.h"
#include "core/pixel_layers.h"
#include "core/geometry.h"
#include "core/layer_point.h"
#include "core/mesh_view.h"
#include "core/differentiate_layers.h"
#include "core/scene.h"
#include "core/shading.h"

namespace unsup3d {

// The colour of a pixel, `g` being the derivative with respect to it: a function of
// its layers, see DifferentiateLayers.
template <typename T, typename Sink>
struct PixelColour {
  const Scene<T>& scene;
  const MeshView<T>& mesh;
  const Pixel<Real>& pixel;
  const Place& place;
  const T *background, *g;
  Sink& sink;
  T* background_gradient;

  // The colour that the layer shows, seen along g.
  UNSUP3D_HOST_DEVICE Real Worth(int fragment) const {
    Real sum = 0;
    VisitLayer(scene, mesh, pixel, fragment, place, background,
               [&](int c, Real value) { sum += g[c] * value; });
    return sum;
  }

  UNSUP3D_HOST_DEVICE void AddPoint(int triangle, const Real barycentric[3],
                                    Real weight, Real barycentric_gradient[3],
                                    Real*) {
    const Material<T>& material = scene.material;
    const MaterialPoint<Real> point =
        FindMaterialPoint(material, triangle, barycentric);
    Real uv_gradient[2];
    MaterialGradient(material, point, weight, g, sink, uv_gradient,
                     barycentric_gradient);
    if (material.texture_channels == 0) return;
    UvGradient(material, point, uv_gradient, sink);
    for (int k = 0; k < 3; ++k) {
      const T* uv = CornerUv(material, triangle, k);
      barycentric_gradient[k] += uv_gradient[0] * uv[0] + uv_gradient[1] * uv[1];
    }
  }

  UNSUP3D_HOST_DEVICE void AddBackground(Real weight) {
    for (int c = 0; c < scene.channels; ++c) {
      background_gradient[c] = static_cast<T>(weight * g[c]);
    }
  }

  UNSUP3D_HOST_DEVICE void AddVertex(int64_t vertex, const Vertex<Real>& gradient) {
    AddVertexGradient(vertex, gradient, sink);
  }
};

// Passes the derivative `g` with respect to the colour of a pixel on to `sink`, see
// shading.h and AddVertexGradient, and writes that with respect to its background.
// `fragments` is scratch, one for each fragment of the pixel.
template <typename T, typename Sink>
UNSUP3D_HOST_DEVICE inline void DifferentiatePixel(
    const Scene<T>& scene, const MeshView<T>& mesh, Real margin,
    const Pixel<Real>& pixel, const Place& place, const T* background, const T* g,
    FragmentGradient* fragments, Sink& sink, T* background_gradient) {
  for (int c = 0; c < scene.channels; ++c) background_gradient[c] = 0;
  PixelColour<T, Sink> colour = {scene, mesh, pixel, place,
                                 background, g, sink, background_gradient};
  DifferentiateLayers(mesh, margin, pixel, place, fragments, colour);
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DIFFERENTIATE_PIXEL_H_
