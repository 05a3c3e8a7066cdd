// A block of pixels that show only the sharp surface, as most covered pixels do, for
// processing several at once. The results are those of draw_pixel.h and
// differentiate_pixel.h.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PIXEL_BLOCK_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PIXEL_BLOCK_H_

#include <cstdint>

#include "core/detail.h"
#include "core/differentiate_detail.h"
#include "core/differentiate_pixel.h"
#include "core/geometry.h"
#include "core/layer_point.h"
#include "core/mesh_view.h"
#include "core/pack.h"
#include "core/picture_inputs.h"
#include "core/shading.h"
#include "core/triangle_block.h"

namespace unsup3d {

template <typename T>
class PixelBlock {
 public:
  PixelBlock(const PictureInputs<T>& inputs, const MeshView<T>& mesh)
      : inputs_(inputs), mesh_(mesh) {}

  bool full() const { return count_ == kBlock; }

  // Adds the pixel with the index `i`.
  void Add(int64_t i, const Place& place) {
    block_.Set(count_, mesh_, place.sharp_triangle, place.px, place.py);
    for (int k = 0; k < 3 && inputs_.material.texture_channels > 0; ++k) {
      const T* uv = CornerUv(inputs_.material, place.sharp_triangle, k);
      corner_u_[k][count_] = uv[0];
      corner_v_[k][count_] = uv[1];
    }
    pixels_[count_] = i;
    triangles_[count_++] = place.sharp_triangle;
  }

  // Writes the pixels to `picture` and empties the block.
  void Draw(T* picture) {
    for (int i = 0; i < count_; i += kLanes) FindPoints(i);
    for (int i = 0; i < count_; ++i) {
      const Real barycentric[3] = {barycentric_[0][i], barycentric_[1][i],
                                   barycentric_[2][i]};
      T* colour = picture + pixels_[i] * inputs_.channels;
      VisitColour(inputs_.material, Point(i, barycentric),
                  [&](int c, Real value) { colour[c] = static_cast<T>(value); });
    }
    count_ = 0;
  }

  // Propagates the derivative with respect to the pixels to `sink` and empties the
  // block.
  template <typename Sink>
  void Differentiate(const T* picture_gradient, Sink& sink) {
    const Material<T>& material = inputs_.material;
    alignas(64) Real uv_gradients[2][kBlock];
    alignas(64) Real barycentric_gradients[3][kBlock];
    for (int i = 0; i < count_; i += kLanes) FindPoints(i);
    for (int i = 0; i < count_; ++i) {
      const Real barycentric[3] = {barycentric_[0][i], barycentric_[1][i],
                                   barycentric_[2][i]};
      const MaterialPoint<Real> point = Point(i, barycentric);
      Real barycentric_gradient[3] = {0, 0, 0};
      const PositionGradient<Real> gradient = MaterialGradient(
          material, point, Real(1), picture_gradient + pixels_[i] * inputs_.channels,
          sink, barycentric_gradient);
      if (material.texture_channels > 0) UvGradient(material, point, gradient, sink);
      DetailGradient(material, mesh_, point, gradient.detail, sink,
                     barycentric_gradient);
      uv_gradients[0][i] = gradient.u;
      uv_gradients[1][i] = gradient.v;
      for (int k = 0; k < 3; ++k) barycentric_gradients[k][i] = barycentric_gradient[k];
    }
    alignas(64) Real gradients[3][3][kBlock];
    for (int i = 0; i < count_; i += kLanes) {
      Vertex<Pack> corners[3];
      Vertex<Pack> corner_gradients[3] = {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}};
      Pack edges[3], barycentric_gradient[3];
      block_.Corners(i, corners);
      EdgeFunctions(corners, block_.px(i), block_.py(i), edges);
      for (int k = 0; k < 3; ++k) {
        barycentric_gradient[k] = Pack::Load(barycentric_gradients[k] + i);
        if (material.texture_channels == 0) continue;
        barycentric_gradient[k] +=
            Pack::Load(uv_gradients[0] + i) * Pack::Load(corner_u_[k] + i) +
            Pack::Load(uv_gradients[1] + i) * Pack::Load(corner_v_[k] + i);
      }
      SurfacePointGradient(corners, block_.px(i), block_.py(i),
                           PointSeen(corners, edges), barycentric_gradient, Pack(0),
                           corner_gradients);
      for (int k = 0; k < 3; ++k) {
        corner_gradients[k].x.Store(gradients[k][0] + i);
        corner_gradients[k].y.Store(gradients[k][1] + i);
        corner_gradients[k].z.Store(gradients[k][2] + i);
      }
    }
    for (int i = 0; i < count_; ++i) {
      for (int k = 0; k < 3; ++k) {
        AddVertexGradient(
            mesh_.Corner(triangles_[i], k),
            Vertex<Real>{gradients[k][0][i], gradients[k][1][i], gradients[k][2][i]},
            sink);
      }
    }
    count_ = 0;
  }

 private:
  // Finds the points seen at kLanes pixels, starting with `first`.
  void FindPoints(int first) {
    for (int i = count_; i < first + kLanes; ++i) block_.Repeat(0, i);
    Vertex<Pack> corners[3];
    Pack edges[3];
    block_.Corners(first, corners);
    EdgeFunctions(corners, block_.px(first), block_.py(first), edges);
    const SurfacePoint<Pack> point = PointSeen(corners, edges);
    Pack u(0), v(0);
    for (int k = 0; k < 3; ++k) {
      point.barycentric[k].Store(barycentric_[k] + first);
      if (inputs_.material.texture_channels == 0) continue;
      u += point.barycentric[k] * Pack::Load(corner_u_[k] + first);
      v += point.barycentric[k] * Pack::Load(corner_v_[k] + first);
    }
    u.Store(u_ + first);
    v.Store(v_ + first);
  }

  MaterialPoint<Real> Point(int i, const Real barycentric[3]) const {
    MaterialPoint<Real> point = {triangles_[i], barycentric, u_[i], v_[i], {0, 0}};
    point.detail = FindDetail(inputs_.material, mesh_, point);
    return point;
  }

  const PictureInputs<T>& inputs_;
  const MeshView<T>& mesh_;
  TriangleBlock block_;
  // Elements beyond `count_` have arbitrary values.
  alignas(64) Real corner_u_[3][kBlock] = {}, corner_v_[3][kBlock] = {};
  alignas(64) Real barycentric_[3][kBlock], u_[kBlock], v_[kBlock];
  int64_t pixels_[kBlock];
  int triangles_[kBlock];
  int count_ = 0;
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_PIXEL_BLOCK_H_
