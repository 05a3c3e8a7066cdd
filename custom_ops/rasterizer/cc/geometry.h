// What one triangle, or one edge, does to one pixel, and the derivatives.
//
// Vertices come as homogeneous pixel coordinates (X, Y, z) = (x z, y z, z) and are
// projected once to (x, y, z): x right, y down, z away from the camera. All
// derivatives are taken with respect to the projected (x, y, z);
// `UnprojectGradient` turns their sum into that of (X, Y, z).
//
// A triangle is drawn if all its corners lie in front of the camera and its signed
// area in the picture is negative, that is if it turns counter-clockwise as seen.
//
// The functions are plain templates on the scalar without any state, for the
// processor and for a GPU alike.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GEOMETRY_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GEOMETRY_H_

#include <cmath>

#ifdef __CUDACC__
#define UNSUP3D_HOST_DEVICE __host__ __device__
#else
#define UNSUP3D_HOST_DEVICE
#endif

namespace unsup3d {

// Triangles with a corner at this depth or nearer are dropped whole.
constexpr double kNearDepth = 1e-6;

// Twice the area in square pixels up to which a triangle counts as having none:
// single precision coordinates know no smaller one.
constexpr double kMinDoubledArea = 1e-10;

template <typename Real>
struct Vertex {
  Real x, y, z;
};

// Projects (x z, y z, z). Behind the camera the result is not used.
template <typename Real, typename T>
UNSUP3D_HOST_DEVICE inline Vertex<Real> Project(const T* homogeneous) {
  const Real z = homogeneous[2];
  return {homogeneous[0] / z, homogeneous[1] / z, z};
}

// The derivative with respect to (x z, y z, z) from that with respect to (x, y, z).
template <typename Real>
UNSUP3D_HOST_DEVICE inline Vertex<Real> UnprojectGradient(
    const Vertex<Real>& vertex, const Vertex<Real>& gradient) {
  return {gradient.x / vertex.z, gradient.y / vertex.z,
          gradient.z -
              (gradient.x * vertex.x + gradient.y * vertex.y) / vertex.z};
}

// A product that is rounded by itself, never fused with a sum. On the host the same
// takes the compiler flag -ffp-contract=off where the processor has fused operations.
UNSUP3D_HOST_DEVICE inline double RoundedProduct(double a, double b) {
#ifdef __CUDA_ARCH__
  return __dmul_rn(a, b);
#else
  return a * b;
#endif
}

UNSUP3D_HOST_DEVICE inline float RoundedProduct(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}

template <typename Real>
UNSUP3D_HOST_DEVICE inline Real DoubledArea(const Vertex<Real>& a,
                                            const Vertex<Real>& b,
                                            const Vertex<Real>& c) {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

// Whether the triangle is drawn at all. The lower bound also drops triangles so
// large that their area is not a number.
template <typename Real>
UNSUP3D_HOST_DEVICE inline bool IsDrawn(const Vertex<Real>& a,
                                        const Vertex<Real>& b,
                                        const Vertex<Real>& c) {
  const Real near_depth = Real(kNearDepth);
  if (!(a.z > near_depth && b.z > near_depth && c.z > near_depth)) return false;
  const Real area = DoubledArea(a, b, c);
  return area < -Real(kMinDoubledArea) && area > -Real(1e300);
}

// The point of a triangle seen through a pixel.
template <typename Real>
struct SurfacePoint {
  // Twice the signed areas of the parts of the triangle opposite to the corners:
  // their ratios are the barycentric coordinates in the picture plane.
  Real areas[3];
  Real barycentric[3];  // perspective-correct coordinates, those in space
  Real depth;
};

// Tells whether a drawn triangle covers the point (px, py), its border included,
// and where. The two directions of an edge give areas that differ in sign only, to
// the last bit, so that no pixel falls between two triangles that share an edge.
template <typename Real>
UNSUP3D_HOST_DEVICE inline bool CoverPixel(const Vertex<Real> corners[3], Real px,
                                           Real py, SurfacePoint<Real>* point) {
  Real x[3], y[3];
  for (int k = 0; k < 3; ++k) {
    x[k] = corners[k].x - px;
    y[k] = corners[k].y - py;
  }
  for (int k = 0; k < 3; ++k) {
    const int i = (k + 1) % 3;
    const int j = (k + 2) % 3;
    point->areas[k] = RoundedProduct(x[i], y[j]) - RoundedProduct(y[i], x[j]);
  }
  // One jump instead of three that nobody can predict.
  if (!((point->areas[0] <= 0) & (point->areas[1] <= 0) & (point->areas[2] <= 0))) {
    return false;
  }
  const Real area = point->areas[0] + point->areas[1] + point->areas[2];
  if (!(area < 0)) return false;
  // The barycentric coordinates in space are proportional to areas[k] / z[k];
  // multiplied by all three depths this takes a single division.
  const Real z01 = corners[0].z * corners[1].z;
  point->barycentric[0] = point->areas[0] * (corners[1].z * corners[2].z);
  point->barycentric[1] = point->areas[1] * (corners[0].z * corners[2].z);
  point->barycentric[2] = point->areas[2] * z01;
  const Real scale = 1 / (point->barycentric[0] + point->barycentric[1] +
                          point->barycentric[2]);
  for (int k = 0; k < 3; ++k) point->barycentric[k] *= scale;
  point->depth = area * (z01 * corners[2].z) * scale;
  return true;
}

// Adds to `corner_gradients` the derivative of a function of a surface point, given
// its derivative with respect to the barycentric coordinates and the depth.
template <typename Real>
UNSUP3D_HOST_DEVICE inline void SurfacePointGradient(
    const Vertex<Real> corners[3], Real px, Real py,
    const SurfacePoint<Real>& point, const Real barycentric_gradient[3],
    Real depth_gradient, Vertex<Real> corner_gradients[3]) {
  const Real z = point.depth;
  const Real area = point.areas[0] + point.areas[1] + point.areas[2];
  Real screen[3];  // the barycentric coordinates in the picture plane
  for (int k = 0; k < 3; ++k) screen[k] = point.areas[k] / area;
  Real total = depth_gradient;
  for (int k = 0; k < 3; ++k) {
    total += barycentric_gradient[k] * point.barycentric[k] / z;
  }
  const Real inverse_depth_gradient = -z * z * total;
  Real screen_gradient[3];
  Real mean = 0;
  for (int k = 0; k < 3; ++k) {
    screen_gradient[k] =
        (barycentric_gradient[k] * z + inverse_depth_gradient) / corners[k].z;
    corner_gradients[k].z -= screen_gradient[k] * screen[k] / corners[k].z;
    mean += screen_gradient[k] * screen[k];
  }
  for (int k = 0; k < 3; ++k) {
    const int i = (k + 1) % 3;
    const int j = (k + 2) % 3;
    const Real g = (screen_gradient[k] - mean) / area;
    corner_gradients[i].x += g * (corners[j].y - py);
    corner_gradients[i].y += g * (px - corners[j].x);
    corner_gradients[j].x += g * (py - corners[i].y);
    corner_gradients[j].y += g * (corners[i].x - px);
  }
}

// The point of an edge that is nearest to a pixel in the picture plane.
template <typename Real>
struct EdgePoint {
  Real screen;     // 0 at the first end, 1 at the second, in the picture plane
  Real parameter;  // the same in space, perspective-correct
  Real depth;
  Real distance;            // to the pixel, in pixels
  Real offset_x, offset_y;  // from the point to the pixel
  bool inside;              // strictly between the two ends
};

template <typename Real>
UNSUP3D_HOST_DEVICE inline EdgePoint<Real> NearestOnEdge(const Vertex<Real>& a,
                                                         const Vertex<Real>& b,
                                                         Real px, Real py) {
  EdgePoint<Real> point;
  const Real dx = b.x - a.x;
  const Real dy = b.y - a.y;
  const Real squared = dx * dx + dy * dy;
  const Real along = (px - a.x) * dx + (py - a.y) * dy;
  point.inside = along > 0 && along < squared;
  point.screen = point.inside ? along / squared : (along > 0 ? Real(1) : Real(0));
  point.offset_x = px - (a.x + point.screen * dx);
  point.offset_y = py - (a.y + point.screen * dy);
  // At its second end the point is `b` to the last bit, as for the next edge.
  if (point.screen == 1) {
    point.offset_x = px - b.x;
    point.offset_y = py - b.y;
  }
  point.distance = std::sqrt(point.offset_x * point.offset_x +
                             point.offset_y * point.offset_y);
  point.depth = 1 / ((1 - point.screen) / a.z + point.screen / b.z);
  point.parameter = point.screen * point.depth / b.z;
  return point;
}

// Adds to the gradients of both ends the derivative of a function of an edge point,
// given its derivative with respect to the distance, the parameter and the depth.
template <typename Real>
UNSUP3D_HOST_DEVICE inline void EdgePointGradient(
    const Vertex<Real>& a, const Vertex<Real>& b, const EdgePoint<Real>& point,
    Real distance_gradient, Real parameter_gradient, Real depth_gradient,
    Vertex<Real>* a_gradient, Vertex<Real>* b_gradient) {
  const Real s = point.screen;
  const Real z = point.depth;
  // The offset is perpendicular to the edge, or the point does not slide: the
  // distance changes as if the point were fixed to the edge.
  if (point.distance > 0) {
    const Real gx = -distance_gradient * point.offset_x / point.distance;
    const Real gy = -distance_gradient * point.offset_y / point.distance;
    a_gradient->x += (1 - s) * gx;
    a_gradient->y += (1 - s) * gy;
    b_gradient->x += s * gx;
    b_gradient->y += s * gy;
  }
  const Real inverse_depth_gradient =
      -z * z * (depth_gradient + parameter_gradient * s / b.z);
  a_gradient->z -= inverse_depth_gradient * (1 - s) / (a.z * a.z);
  b_gradient->z -=
      (inverse_depth_gradient + parameter_gradient * z) * s / (b.z * b.z);
  if (point.inside) {
    const Real dx = b.x - a.x;
    const Real dy = b.y - a.y;
    const Real g = (parameter_gradient * z / b.z +
                    inverse_depth_gradient * (1 / b.z - 1 / a.z)) /
                   (dx * dx + dy * dy);
    a_gradient->x -= g * ((1 - s) * dx + point.offset_x);
    a_gradient->y -= g * ((1 - s) * dy + point.offset_y);
    b_gradient->x += g * (point.offset_x - s * dx);
    b_gradient->y += g * (point.offset_y - s * dy);
  }
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GEOMETRY_H_
