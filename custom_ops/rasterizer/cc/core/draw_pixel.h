// The colour of one pixel: the soft layer over the sharp one over the background.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DRAW_PIXEL_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DRAW_PIXEL_H_

#include "core/detail.h"
#include "core/geometry.h"
#include "core/layer_point.h"
#include "core/mesh_view.h"
#include "core/picture_inputs.h"
#include "core/pixel_layers.h"
#include "core/shading.h"

namespace unsup3d {

// Calls `visit(channel, value)` for each channel of the colour that a layer shows.
// `background` is the pixel's background, [channels].
template <typename T, typename Visit>
UNSUP3D_HOST_DEVICE inline void VisitLayer(const PictureInputs<T>& inputs,
                                           const MeshView<T>& mesh,
                                           const PixelLayers<Real>& pixel, int fragment,
                                           const Place& place, const T* background,
                                           Visit visit) {
  const LayerPoint point = FindLayerPoint(mesh, pixel, fragment, place);
  if (point.triangle >= 0) {
    VisitColour(
        inputs.material,
        FindDetailedPoint(inputs.material, mesh, point.triangle, point.barycentric),
        visit);
  } else {
    for (int c = 0; c < inputs.channels; ++c) visit(c, Real(background[c]));
  }
}

// Calls `add(channel, term)` for each term of the pixel's colour.
template <typename T, typename Add>
UNSUP3D_HOST_DEVICE inline void DrawPixel(const PictureInputs<T>& inputs,
                                          const MeshView<T>& mesh,
                                          const PixelLayers<Real>& pixel,
                                          const Place& place, const T* background,
                                          Add add) {
  for (Layer<Real> layer = pixel.FirstLayer();; layer = pixel.NextLayer(layer)) {
    const Real weight = layer.Weight();
    if (weight > 0) {
      VisitLayer(inputs, mesh, pixel, layer.fragment, place, background,
                 [&](int c, Real value) { add(c, weight * value); });
    }
    if (layer.fragment == kSharp) break;
  }
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DRAW_PIXEL_H_
