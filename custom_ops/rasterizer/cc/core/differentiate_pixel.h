// The derivative of the colour of one pixel: the reverse of draw_pixel.h.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DIFFERENTIATE_PIXEL_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DIFFERENTIATE_PIXEL_H_

#include "core/detail.h"
#include "core/differentiate_detail.h"
#include "core/differentiate_layers.h"
#include "core/draw_pixel.h"
#include "core/geometry.h"
#include "core/layer_point.h"
#include "core/mesh_view.h"
#include "core/picture_inputs.h"
#include "core/pixel_layers.h"
#include "core/shading.h"

namespace unsup3d {

// The colour of a pixel as a function of its layers, see DifferentiateLayers. `g` is
// the derivative with respect to that colour.
template <typename T, typename Sink>
struct PixelColour {
  const PictureInputs<T>& inputs;
  const MeshView<T>& mesh;
  const PixelLayers<Real>& pixel;
  const Place& place;
  const T *background, *g;
  Sink& sink;
  T* background_gradient;

  // The derivative with respect to the weight of a layer: the dot product of g and the
  // colour that the layer shows.
  UNSUP3D_HOST_DEVICE Real Worth(int fragment) const {
    Real sum = 0;
    VisitLayer(inputs, mesh, pixel, fragment, place, background,
               [&](int c, Real value) { sum += g[c] * value; });
    return sum;
  }

  UNSUP3D_HOST_DEVICE void AddPoint(int triangle, const Real barycentric[3],
                                    Real weight, Real barycentric_gradient[3], Real*) {
    const Material<T>& material = inputs.material;
    const MaterialPoint<Real> point =
        FindDetailedPoint(material, mesh, triangle, barycentric);
    const PositionGradient<Real> gradient =
        MaterialGradient(material, point, weight, g, sink, barycentric_gradient);
    if (material.texture_channels == 0) return;
    UvGradient(material, point, gradient, sink);
    for (int k = 0; k < 3; ++k) {
      const T* uv = CornerUv(material, triangle, k);
      barycentric_gradient[k] += gradient.u * uv[0] + gradient.v * uv[1];
    }
    DetailGradient(material, mesh, point, gradient.detail, sink, barycentric_gradient);
  }

  UNSUP3D_HOST_DEVICE void AddBackground(Real weight) {
    for (int c = 0; c < inputs.channels; ++c) {
      background_gradient[c] = static_cast<T>(weight * g[c]);
    }
  }

  UNSUP3D_HOST_DEVICE void AddVertex(int64_t vertex, const Vertex<Real>& gradient) {
    AddVertexGradient(vertex, gradient, sink);
  }
};

// Propagates `g`, the derivative with respect to the colour of a pixel, to `sink` (see
// shading.h and AddVertexGradient), and writes the derivative with respect to the
// pixel's background. `soft_gradients` is scratch memory with one element for each soft
// fragment of the pixel.
template <typename T, typename Sink>
UNSUP3D_HOST_DEVICE inline void DifferentiatePixel(
    const PictureInputs<T>& inputs, const MeshView<T>& mesh, Real margin,
    const PixelLayers<Real>& pixel, const Place& place, const T* background, const T* g,
    SoftFragmentGradient* soft_gradients, Sink& sink, T* background_gradient) {
  for (int c = 0; c < inputs.channels; ++c) background_gradient[c] = 0;
  PixelColour<T, Sink> colour = {inputs,     mesh, pixel, place,
                                 background, g,    sink,  background_gradient};
  DifferentiateLayers(mesh, margin, pixel, place, soft_gradients, colour);
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DIFFERENTIATE_PIXEL_H_
