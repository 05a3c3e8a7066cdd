// The derivative of the layers of a pixel with respect to the vertices.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DIFFERENTIATE_LAYERS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DIFFERENTIATE_LAYERS_H_

#include <cstdint>

#include "core/geometry.h"
#include "core/layer_point.h"
#include "core/mesh_view.h"
#include "core/picture_inputs.h"
#include "core/pixel_layers.h"

namespace unsup3d {

// The derivative with respect to a soft fragment.
struct SoftFragmentGradient {
  Real extent, depth, parameter;
};

// Adds the derivative with respect to a vertex to the VertexSums(vertex) of `sink`.
template <typename Sink>
UNSUP3D_HOST_DEVICE inline void AddVertexGradient(int64_t vertex,
                                                  const Vertex<Real>& gradient,
                                                  Sink& sink) {
  const auto sums = sink.VertexSums(vertex);
  sink.Add(&sums[0], gradient.x);
  sink.Add(&sums[1], gradient.y);
  sink.Add(&sums[2], gradient.z);
}

// Propagates the derivative with respect to a point of the sharp surface to the corners
// of its triangle.
template <typename T, typename Function>
UNSUP3D_HOST_DEVICE inline void SharpGradient(const MeshView<T>& mesh,
                                              const Place& place,
                                              const SurfacePoint<Real>& point,
                                              const Real barycentric_gradient[3],
                                              Real depth_gradient, Function& function) {
  Vertex<Real> corners[3];
  mesh.Corners(place.sharp_triangle, corners);
  Vertex<Real> corner_gradients[3] = {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}};
  SurfacePointGradient(corners, place.px, place.py, point, barycentric_gradient,
                       depth_gradient, corner_gradients);
  for (int k = 0; k < 3; ++k) {
    function.AddVertex(mesh.Corner(place.sharp_triangle, k), corner_gradients[k]);
  }
}

// Propagates the derivative with respect to a soft fragment to the ends of its edge.
template <typename T, typename Function>
UNSUP3D_HOST_DEVICE inline void SoftGradient(const MeshView<T>& mesh, int edge,
                                             const Place& place, Real margin,
                                             const SoftFragmentGradient& gradient,
                                             Function& function) {
  const Vertex<Real> a = mesh.At(mesh.First(edge));
  const Vertex<Real> b = mesh.At(mesh.Second(edge));
  EdgePart<Real> part;
  ClipEdge(a, b, &part);
  EdgePart<Real> part_gradient = {{{0, 0, 0}, {0, 0, 0}}, {0, 0}};
  EdgePointGradient(part, place.px, place.py, NearestOnEdge(part, place.px, place.py),
                    gradient.extent / margin, gradient.parameter, gradient.depth,
                    &part_gradient);
  Vertex<Real> a_gradient = {0, 0, 0}, b_gradient = {0, 0, 0};
  ClipEdgeGradient(a, b, part, part_gradient, &a_gradient, &b_gradient);
  function.AddVertex(mesh.First(edge), a_gradient);
  function.AddVertex(mesh.Second(edge), b_gradient);
}

// Differentiates a function of the weights and points of a pixel's layers.
// `soft_gradients` is scratch memory with one element for each soft fragment of the
// pixel. `function` provides the derivatives of the function and receives the result:
//   Worth(fragment) returns the derivative with respect to the weight of a layer. It is
//     called for each layer in order, except for the sharp layer if it is the only one.
//   AddPoint(triangle, barycentric, weight, barycentric_gradient, &depth_gradient)
//     adds the derivatives with respect to the point that a layer of positive weight
//     shows. It is called after Worth for that layer and before Worth for the next.
//   AddBackground(weight) is called instead if the layer shows the background.
//   AddVertex(vertex, gradient) receives the resulting derivative with respect to a
//     vertex.
template <typename T, typename Function>
UNSUP3D_HOST_DEVICE inline void DifferentiateLayers(
    const MeshView<T>& mesh, Real margin, const PixelLayers<Real>& pixel,
    const Place& place, SoftFragmentGradient* soft_gradients, Function& function) {
  for (int i = 0; i < pixel.count; ++i) soft_gradients[i] = {0, 0, 0};
  Real sharp_depth = 0;
  Real sharp_barycentric[3] = {0, 0, 0};

  Layer<Real> layer = pixel.FirstLayer();
  Real worth = layer.fragment == kSharp ? Real(0) : function.Worth(layer.fragment);
  for (; layer.fragment != kSharp; layer = pixel.NextLayer(layer)) {
    if (layer.Weight() > 0) {
      Real barycentric[3];
      Real barycentric_gradient[3] = {0, 0, 0};
      const int edge = pixel.soft_fragments[layer.fragment].edge;
      SoftFragmentGradient& gradient = soft_gradients[layer.fragment];
      SoftFragmentBarycentric(pixel.soft_fragments[layer.fragment], barycentric);
      function.AddPoint(edge / 3, barycentric, layer.Weight(), barycentric_gradient,
                        &gradient.depth);
      gradient.parameter +=
          barycentric_gradient[(edge + 2) % 3] - barycentric_gradient[(edge + 1) % 3];
    }
    // Moving the border between two layers exchanges weight between them.
    const Real next = function.Worth(layer.next);
    const auto add_extent = [&](int i, Real value) {
      soft_gradients[i].extent += value;
    };
    const auto add_depth = [&](int i, Real value) {
      (i == kSharp ? sharp_depth : soft_gradients[i].depth) += value;
    };
    pixel.LowerEndGradient(layer, next - worth, add_extent, add_depth);
    worth = next;
  }

  if (place.sharp_triangle >= 0) {
    SurfacePoint<Real> point;
    mesh.Cover(place.sharp_triangle, place.px, place.py, &point);
    if (layer.Weight() > 0) {
      function.AddPoint(place.sharp_triangle, point.barycentric, layer.Weight(),
                        sharp_barycentric, &sharp_depth);
    }
    SharpGradient(mesh, place, point, sharp_barycentric, sharp_depth, function);
  } else if (layer.Weight() > 0) {
    function.AddBackground(layer.Weight());
  }
  for (int i = 0; i < pixel.count; ++i) {
    const SoftFragmentGradient& gradient = soft_gradients[i];
    if (gradient.extent == 0 && gradient.depth == 0 && gradient.parameter == 0) {
      continue;
    }
    SoftGradient(mesh, pixel.soft_fragments[i].edge, place, margin, gradient, function);
  }
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_DIFFERENTIATE_LAYERS_H_
