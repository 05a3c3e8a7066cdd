// The derivative of a picture: the way of draw.h, backwards.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_DIFFERENTIATE_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_DIFFERENTIATE_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "draw.h"
#include "fragments.h"
#include "geometry.h"
#include "mesh.h"
#include "scene.h"
#include "shading.h"
#include "sharp_layer.h"
#include "soft_layer.h"

namespace unsup3d {

// Where gradients are added up.
template <typename T>
struct Gradients {
  Vertex<Real>* vertices;
  Real* uv;
  T* texture;
  T* attributes;

  void AddTexture(int64_t index, Real value) {
    texture[index] += static_cast<T>(value);
  }
  void AddAttribute(int64_t index, Real value) {
    attributes[index] += static_cast<T>(value);
  }
  void AddUv(int64_t index, Real value) { uv[index] += value; }
  void AddVertex(int64_t index, const Vertex<Real>& value) {
    AddScaled(&vertices[index], Real(1), value);
  }
};

template <typename T>
class PixelDifferentiator {
 public:
  PixelDifferentiator(const Scene<T>& scene, const Mesh<T>& mesh,
                      const Options& options, const Gradients<T>& gradients)
      : scene_(scene), mesh_(mesh), margin_(options.margin), gradients_(gradients) {}

  // The derivative at the pixel centre (px, py), `g` being that with respect to its
  // colour.
  void Differentiate(const Pixel<Real>& pixel, int sharp_triangle, Real px, Real py,
                     const T* background, const T* g, T* background_gradient) {
    Reset(pixel.count);
    std::fill(background_gradient, background_gradient + scene_.channels, T(0));
    SurfacePoint<Real> sharp;
    if (sharp_triangle >= 0) FindSharpPoint(mesh_, sharp_triangle, px, py, &sharp);

    // The colour of each layer, seen along g, and of the next one: what a shift of
    // the border between them is worth.
    const auto brightness = [&](int fragment) {
      Real sum = 0;
      VisitLayer(scene_, mesh_, pixel, fragment, sharp_triangle, px, py, background,
                 [&](int c, Real value) { sum += g[c] * value; });
      return sum;
    };

    Layer<Real> layer = pixel.FirstLayer();
    Real current = layer.fragment == kSharp ? Real(0) : brightness(layer.fragment);
    for (; layer.fragment != kSharp; layer = pixel.NextLayer(layer)) {
      const Real weight = layer.upper - layer.lower;
      if (weight > 0) {
        Real barycentric[3];
        Real barycentric_gradient[3] = {0, 0, 0};
        const int edge = pixel.fragments[layer.fragment].edge;
        FragmentBarycentric(pixel.fragments[layer.fragment], barycentric);
        ColourGradient(scene_.material, edge / 3, barycentric, weight, g, gradients_,
                       barycentric_gradient);
        parameter_[layer.fragment] += barycentric_gradient[(edge + 2) % 3] -
                                      barycentric_gradient[(edge + 1) % 3];
      }
      const Real next = brightness(layer.next);
      pixel.LowerEndGradient(
          layer, next - current, [&](int i, Real value) { extent_[i] += value; },
          [&](int i, Real value) {
            (i == kSharp ? sharp_depth_ : depth_[i]) += value;
          });
      current = next;
    }
    const Real weight = layer.upper - layer.lower;
    if (weight > 0 && sharp_triangle >= 0) {
      ColourGradient(scene_.material, sharp_triangle, sharp.barycentric, weight, g,
                     gradients_, sharp_barycentric_);
    } else if (weight > 0) {
      for (int c = 0; c < scene_.channels; ++c) {
        background_gradient[c] = static_cast<T>(weight * g[c]);
      }
    }

    if (sharp_triangle >= 0) AddSharp(sharp_triangle, px, py, sharp);
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

  void AddSharp(int triangle, Real px, Real py, const SurfacePoint<Real>& point) {
    Vertex<Real> corners[3];
    mesh_.Corners(triangle, corners);
    Vertex<Real> corner_gradients[3] = {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}};
    SurfacePointGradient(corners, px, py, point, sharp_barycentric_, sharp_depth_,
                         corner_gradients);
    for (int k = 0; k < 3; ++k) {
      gradients_.AddVertex(mesh_.Corner(triangle, k), corner_gradients[k]);
    }
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
    gradients_.AddVertex(mesh_.First(edge), a_gradient);
    gradients_.AddVertex(mesh_.Second(edge), b_gradient);
  }

  const Scene<T>& scene_;
  const Mesh<T>& mesh_;
  const Real margin_;
  Gradients<T> gradients_;
  // With respect to the fragments of the pixel and to its sharp surface.
  std::vector<Real> extent_, depth_, parameter_;
  Real sharp_depth_, sharp_barycentric_[3];
};

// Differentiates the rows begin .. end, adding to `gradients` and writing the rows of
// `background_gradient` [height, width, channels]. `ids` are those of DrawBand and
// the derivative with respect to its picture is `picture_gradient`; `depths` is
// scratch. Returns the first pixel with a wrong triangle index, or -1, see FindDepths.
template <typename T>
int64_t DifferentiateBand(const Scene<T>& scene, const Mesh<T>& mesh,
                          const Options& options, int begin, int end,
                          const T* picture_gradient, const int* ids, Real* depths,
                          const Gradients<T>& gradients, T* background_gradient) {
  const int channels = scene.channels;
  const int64_t wrong = FindDepths(scene, mesh, begin, end, ids, depths);
  if (wrong >= 0) return wrong;
  SoftLayer<T> soft(mesh, scene.width, options);
  PixelDifferentiator<T> differentiator(scene, mesh, options, gradients);
  for (int y = begin; y < end; ++y) {
    soft.MoveTo(y, end, depths);
    for (int x = 0; x < scene.width; ++x) {
      const int64_t i = static_cast<int64_t>(y) * scene.width + x;
      const T* g = picture_gradient + i * channels;
      const Pixel<Real> pixel = soft.At(x, depths[i]);
      if (pixel.count == 0 && ids[i] == kSharp) {
        std::copy(g, g + channels, background_gradient + i * channels);
        continue;
      }
      differentiator.Differentiate(pixel, ids[i], x + 0.5, y + 0.5,
                                   scene.background + i * channels, g,
                                   background_gradient + i * channels);
    }
  }
  return -1;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_DIFFERENTIATE_H_
