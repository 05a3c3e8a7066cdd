// How far a step by one pixel goes in the texture, and the derivative of that.
//
// The corners V_k of a triangle have texture coordinates t_k. With the barycentric
// coordinates b_k the point P = b_1 V_1 + b_2 V_2 + b_3 V_3 of depth z has the texture
// coordinates t = b_1 t_1 + b_2 t_2 + b_3 t_3, and the derivative of t with respect to
// P's position in the picture is
//   z / det(V_1, V_2, V_3) * sum over k of (t_k - t) N_k,
// where N_k are the x and y of V_i x V_j for the other two corners (by the quotient
// rule, from Olano and Greer, Triangle Scan Conversion using 2D Homogeneous
// Coordinates, 1997).

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_TEXTURE_STEP_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_TEXTURE_STEP_H_

#include "core/geometry.h"

namespace unsup3d {

// A point of a triangle. The texture coordinates are in texels.
template <typename Real>
struct TexturedPoint {
  Vertex<Real> corners[3];
  Real texels[3][2];  // the texture coordinates (u, v) at each corner
  Real barycentric[3];
};

// The step in the texture, in texels, that belongs to a step by one pixel to the right
// or down, whichever is the longer one.
template <typename Real>
struct TextureStep {
  Real u, v;
  Real squared_length;
  bool down;
  Real scale;          // z / det
  Real depth, volume;  // z and det
  Real point[2];       // t
};

// The x, or with `down` the y, of the cross product of two vertices.
template <typename Real>
UNSUP3D_HOST_DEVICE inline Real CrossComponent(const Vertex<Real>& a,
                                               const Vertex<Real>& b, bool down) {
  return down ? a.z * b.x - a.x * b.z : a.y * b.z - a.z * b.y;
}

template <typename Real>
UNSUP3D_HOST_DEVICE inline TextureStep<Real> FindTextureStep(
    const TexturedPoint<Real>& at) {
  TextureStep<Real> step;
  step.depth = step.point[0] = step.point[1] = 0;
  for (int k = 0; k < 3; ++k) {
    step.depth += at.barycentric[k] * at.corners[k].z;
    for (int d = 0; d < 2; ++d) {
      step.point[d] += at.barycentric[k] * at.texels[k][d];
    }
  }
  step.volume = SignedVolume(at.corners[0], at.corners[1], at.corners[2]);
  step.scale = step.depth / step.volume;
  Real steps[2][2] = {{0, 0}, {0, 0}};
  for (int k = 0; k < 3; ++k) {
    const Vertex<Real>& a = at.corners[(k + 1) % 3];
    const Vertex<Real>& b = at.corners[(k + 2) % 3];
    for (int axis = 0; axis < 2; ++axis) {
      const Real normal = step.scale * CrossComponent(a, b, axis == 1);
      for (int d = 0; d < 2; ++d) {
        steps[axis][d] += normal * (at.texels[k][d] - step.point[d]);
      }
    }
  }
  Real squares[2];
  for (int axis = 0; axis < 2; ++axis) {
    squares[axis] = steps[axis][0] * steps[axis][0] + steps[axis][1] * steps[axis][1];
  }
  step.down = squares[1] > squares[0];
  step.u = steps[step.down][0];
  step.v = steps[step.down][1];
  step.squared_length = squares[step.down];
  return step;
}

// Adds the derivative of a function of the step's squared length to `gradient`, given
// its derivative with respect to that length.
template <typename Real>
UNSUP3D_HOST_DEVICE inline void TextureStepGradient(const TexturedPoint<Real>& at,
                                                    const TextureStep<Real>& step,
                                                    Real squared_length_gradient,
                                                    TexturedPoint<Real>* gradient) {
  const Real g[2] = {2 * squared_length_gradient * step.u,
                     2 * squared_length_gradient * step.v};
  // The derivative with respect to the logarithm of the scale.
  const Real log_scale_gradient = g[0] * step.u + g[1] * step.v;
  const Real depth_gradient = log_scale_gradient / step.depth;
  const Real volume_gradient = -log_scale_gradient / step.volume;
  Real point_gradient[2] = {0, 0};
  for (int k = 0; k < 3; ++k) {
    const int i = (k + 1) % 3;
    const int j = (k + 2) % 3;
    const Vertex<Real>& a = at.corners[i];
    const Vertex<Real>& b = at.corners[j];
    const Real normal = step.scale * CrossComponent(a, b, step.down);
    Real normal_gradient = 0;
    for (int d = 0; d < 2; ++d) {
      normal_gradient += g[d] * (at.texels[k][d] - step.point[d]);
      gradient->texels[k][d] += g[d] * normal;
      point_gradient[d] -= g[d] * normal;
    }
    normal_gradient *= step.scale;
    if (step.down) {
      gradient->corners[i].z += normal_gradient * b.x;
      gradient->corners[i].x -= normal_gradient * b.z;
      gradient->corners[j].x += normal_gradient * a.z;
      gradient->corners[j].z -= normal_gradient * a.x;
    } else {
      gradient->corners[i].y += normal_gradient * b.z;
      gradient->corners[i].z -= normal_gradient * b.y;
      gradient->corners[j].z += normal_gradient * a.y;
      gradient->corners[j].y -= normal_gradient * a.z;
    }
    // The derivative of the determinant with respect to a corner is the cross product
    // of the other two.
    gradient->corners[k].x += volume_gradient * CrossComponent(a, b, false);
    gradient->corners[k].y += volume_gradient * CrossComponent(a, b, true);
    gradient->corners[k].z += volume_gradient * (a.x * b.y - a.y * b.x);
    gradient->corners[k].z += depth_gradient * at.barycentric[k];
    gradient->barycentric[k] += depth_gradient * at.corners[k].z;
  }
  for (int k = 0; k < 3; ++k) {
    for (int d = 0; d < 2; ++d) {
      gradient->texels[k][d] += at.barycentric[k] * point_gradient[d];
      gradient->barycentric[k] += at.texels[k][d] * point_gradient[d];
    }
  }
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_TEXTURE_STEP_H_
