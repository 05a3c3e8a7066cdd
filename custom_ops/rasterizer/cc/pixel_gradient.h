// The derivative of what a pixel shows with respect to the vertices.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_PIXEL_GRADIENT_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_PIXEL_GRADIENT_H_

#include <algorithm>
#include <vector>

#include "fragments.h"
#include "geometry.h"
#include "layer_point.h"
#include "mesh.h"
#include "scene.h"
#include "sharp_layer.h"

namespace unsup3d {

template <typename T>
class PixelDifferentiator {
 public:
  // Adds to `vertex_gradients`, one for each vertex.
  PixelDifferentiator(const Mesh<T>& mesh, const Options& options,
                      Vertex<Real>* vertex_gradients)
      : mesh_(mesh), margin_(options.margin), vertices_(vertex_gradients) {}

  // The derivative of a function of the layers' weights and points at the pixel
  // centre (px, py). `function` knows it with respect to these:
  //   Worth(fragment) is that with respect to the weight of a layer. It is called for
  //     each layer in their order, but not for the sharp one if that is alone.
  //   AddPoint(point, weight, barycentric_gradient, &depth_gradient) adds those with
  //     respect to the point that a layer of a positive weight shows. It is called
  //     after the layer's Worth and before that of the next one.
  //   AddBackground(weight) is called instead where a layer shows the background.
  template <typename Function>
  void Differentiate(const Pixel<Real>& pixel, int sharp_triangle, Real px, Real py,
                     Function& function) {
    Reset(pixel.count);
    Layer<Real> layer = pixel.FirstLayer();
    Real worth =
        layer.fragment == kSharp ? Real(0) : function.Worth(layer.fragment);
    for (;; layer = pixel.NextLayer(layer)) {
      if (layer.Weight() > 0) {
        const LayerPoint point =
            FindLayerPoint(mesh_, pixel, layer.fragment, sharp_triangle, px, py);
        if (point.triangle >= 0) {
          AddPoint(pixel, layer, point, function);
        } else {
          function.AddBackground(layer.Weight());
        }
      }
      if (layer.fragment == kSharp) break;
      // What a shift of the border between two layers is worth.
      const Real next = function.Worth(layer.next);
      pixel.LowerEndGradient(
          layer, next - worth, [&](int i, Real value) { extent_[i] += value; },
          [&](int i, Real value) { Depth(i) += value; });
      worth = next;
    }
    if (sharp_triangle >= 0) AddSharp(sharp_triangle, px, py);
    for (int i = 0; i < pixel.count; ++i) {
      if (extent_[i] == 0 && depth_[i] == 0 && parameter_[i] == 0) continue;
      AddFragment(i, pixel.fragments[i].edge, px, py);
    }
  }

 private:
  void Reset(int fragments) {
    extent_.assign(fragments, Real(0));
    depth_.assign(fragments, Real(0));
    parameter_.assign(fragments, Real(0));
    sharp_depth_ = 0;
    std::fill_n(sharp_barycentric_, 3, Real(0));
  }

  Real& Depth(int fragment) {
    return fragment == kSharp ? sharp_depth_ : depth_[fragment];
  }

  template <typename Function>
  void AddPoint(const Pixel<Real>& pixel, const Layer<Real>& layer,
                const LayerPoint& point, Function& function) {
    Real barycentric[3] = {0, 0, 0};
    function.AddPoint(point, layer.Weight(), barycentric, &Depth(layer.fragment));
    if (layer.fragment == kSharp) {
      std::copy_n(barycentric, 3, sharp_barycentric_);
    } else {
      const int opposite = pixel.fragments[layer.fragment].edge % 3;
      parameter_[layer.fragment] +=
          barycentric[(opposite + 2) % 3] - barycentric[(opposite + 1) % 3];
    }
  }

  void AddSharp(int triangle, Real px, Real py) {
    SurfacePoint<Real> point;
    FindSharpPoint(mesh_, triangle, px, py, &point);
    Vertex<Real> corners[3];
    mesh_.Corners(triangle, corners);
    Vertex<Real> gradients[3] = {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}};
    SurfacePointGradient(corners, px, py, point, sharp_barycentric_, sharp_depth_,
                         gradients);
    for (int k = 0; k < 3; ++k) AddVertex(mesh_.Corner(triangle, k), gradients[k]);
  }

  void AddFragment(int i, int edge, Real px, Real py) {
    const Vertex<Real> a = mesh_.At(mesh_.First(edge));
    const Vertex<Real> b = mesh_.At(mesh_.Second(edge));
    EdgePart<Real> part;
    ClipEdge(a, b, &part);
    EdgePart<Real> part_gradient = {{{0, 0, 0}, {0, 0, 0}}, {0, 0}};
    EdgePointGradient(part, px, py, NearestOnEdge(part, px, py),
                      extent_[i] / margin_, parameter_[i], depth_[i],
                      &part_gradient);
    Vertex<Real> a_gradient = {0, 0, 0}, b_gradient = {0, 0, 0};
    ClipEdgeGradient(a, b, part, part_gradient, &a_gradient, &b_gradient);
    AddVertex(mesh_.First(edge), a_gradient);
    AddVertex(mesh_.Second(edge), b_gradient);
  }

  void AddVertex(int vertex, const Vertex<Real>& gradient) {
    AddScaled(&vertices_[vertex], Real(1), gradient);
  }

  const Mesh<T>& mesh_;
  const Real margin_;
  Vertex<Real>* vertices_;
  // With respect to the fragments of the pixel and to its sharp surface.
  std::vector<Real> extent_, depth_, parameter_;
  Real sharp_depth_, sharp_barycentric_[3];
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_PIXEL_GRADIENT_H_
