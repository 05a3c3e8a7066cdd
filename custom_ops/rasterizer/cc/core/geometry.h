// The geometry of one triangle or one edge as seen from one pixel, and its derivatives.
//
// Vertices are given in homogeneous pixel coordinates (x z, y z, z): x to the right, y
// down, z away from the camera. These are linear coordinates of space, in which the
// camera is the origin and the pixel centre (px, py) sees the points t (px, py, 1) of a
// ray. Computing with them requires no projection, nor do triangles that extend behind
// the camera require clipping (Olano and Greer, Triangle Scan Conversion using 2D
// Homogeneous Coordinates, 1997). All derivatives are with respect to these
// coordinates.
//
// The functions are stateless templates over the scalar type. They run on the host and
// on a GPU.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_GEOMETRY_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_GEOMETRY_H_

#include <cmath>

#ifdef __CUDACC__
#define UNSUP3D_HOST_DEVICE __host__ __device__
#else
#define UNSUP3D_HOST_DEVICE
#endif

namespace unsup3d {

// Nothing at this depth or nearer is drawn. A surface is cut off there without a soft
// edge. The value is about the smallest that single precision handles safely, so that
// the cut lies far outside any picture unless the surface almost touches the camera.
constexpr double kNearDepth = 1e-6;

// Twice the area, in square pixels, up to which a triangle counts as having no area:
// single precision coordinates cannot represent a smaller one.
constexpr double kMinDoubledArea = 1e-10;

template <typename Real>
struct Vertex {
  Real x, y, z;  // x and y are already multiplied by z
};

template <typename Real>
UNSUP3D_HOST_DEVICE inline Vertex<Real> operator-(const Vertex<Real>& a,
                                                  const Vertex<Real>& b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}

template <typename Real>
UNSUP3D_HOST_DEVICE inline void AddScaled(Vertex<Real>* sum, const Real& factor,
                                          const Vertex<Real>& a) {
  sum->x += factor * a.x;
  sum->y += factor * a.y;
  sum->z += factor * a.z;
}

template <typename Real>
UNSUP3D_HOST_DEVICE inline Real Dot(const Vertex<Real>& a, const Vertex<Real>& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

template <typename Real>
UNSUP3D_HOST_DEVICE inline Real Determinant(const Vertex<Real>& a,
                                            const Vertex<Real>& b,
                                            const Vertex<Real>& c) {
  return a.x * (b.y * c.z - b.z * c.y) + a.y * (b.z * c.x - b.x * c.z) +
         a.z * (b.x * c.y - b.y * c.x);
}

// Whether a vertex lies beyond the near depth.
template <typename Real>
UNSUP3D_HOST_DEVICE inline auto IsVisible(const Vertex<Real>& vertex) {
  return vertex.z > Real(kNearDepth);
}

// A product that is rounded on its own and never fused with a sum. On the host this
// requires the compiler flag -ffp-contract=off if the processor has fused operations.
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
UNSUP3D_HOST_DEVICE inline Real Select(bool condition, Real a, Real b) {
  return condition ? a : b;
}

// The vertex in coordinates in which the pixel centre (px, py) is the origin of the
// picture.
template <typename Real>
UNSUP3D_HOST_DEVICE inline Vertex<Real> SeenFrom(const Real& px, const Real& py,
                                                 const Vertex<Real>& vertex) {
  return {vertex.x - RoundedProduct(px, vertex.z),
          vertex.y - RoundedProduct(py, vertex.z), vertex.z};
}

// Turns a derivative with respect to SeenFrom(px, py, vertex) into one with respect to
// the vertex.
template <typename Real>
UNSUP3D_HOST_DEVICE inline Vertex<Real> SeenFromGradient(const Real& px, const Real& py,
                                                         const Vertex<Real>& gradient) {
  return {gradient.x, gradient.y, gradient.z - px * gradient.x - py * gradient.y};
}

// The side of a triangle that the camera sees.
enum class Facing : signed char { kFront, kBack, kNone };

// Twice the area of a triangle in the picture times all three depths, which may be
// negative. Taking differences first keeps it precise for small triangles.
template <typename Real>
UNSUP3D_HOST_DEVICE inline Real SignedVolume(const Vertex<Real>& a,
                                             const Vertex<Real>& b,
                                             const Vertex<Real>& c) {
  return Determinant(a, b - a, c - a);
}

// The front of a triangle is the side from which its corners run counter-clockwise: its
// signed area in the picture, where y points down, is negative.
template <typename Real>
UNSUP3D_HOST_DEVICE inline Facing FindFacing(Real signed_volume, Real depth_product) {
  const Real smallest = Real(kMinDoubledArea) * std::abs(depth_product);
  if (signed_volume < -smallest) return Facing::kFront;
  if (signed_volume > smallest) return Facing::kBack;
  return Facing::kNone;
}

// Decides which of two triangles is visible at a fold, an edge where one that faces the
// camera meets one that faces away. Returns whether the first one hides the second.
template <typename Real>
UNSUP3D_HOST_DEVICE inline bool FrontHidesBack(const Vertex<Real> front[3],
                                               const Vertex<Real> back[3]) {
  // It does if the second one lies behind its plane. The two shared corners lie in that
  // plane and contribute nothing.
  Real volume = 0;
  for (int k = 0; k < 3; ++k) {
    volume += Determinant(back[k] - front[0], front[1] - front[0], front[2] - front[0]);
  }
  return volume < 0;
}

// The point of a triangle that is seen at a pixel centre.
template <typename Real>
struct SurfacePoint {
  Real barycentric[3];  // in space, not in the picture
  Real depth;
  Real total;  // the sum of the edge functions, see PointSeen
};

// The edge functions at the pixel centre (px, py). The two directions of an edge give
// bitwise the same value with opposite signs, so that no pixel falls between two
// triangles that share an edge.
template <typename Real>
UNSUP3D_HOST_DEVICE inline void EdgeFunctions(const Vertex<Real> corners[3],
                                              const Real& px, const Real& py,
                                              Real edges[3]) {
  Vertex<Real> seen[3];
  for (int k = 0; k < 3; ++k) seen[k] = SeenFrom(px, py, corners[k]);
  for (int k = 0; k < 3; ++k) {
    const Vertex<Real>& a = seen[(k + 1) % 3];
    const Vertex<Real>& b = seen[(k + 2) % 3];
    edges[k] = RoundedProduct(a.x, b.y) - RoundedProduct(a.y, b.x);
  }
}

// Whether a pixel centre with these edge functions lies within the triangle, including
// its border, whichever side faces the camera.
template <typename Real>
UNSUP3D_HOST_DEVICE inline auto IsWithin(const Real edges[3]) {
  const Real zero = 0;
  // Bitwise operators compile to one branch instead of six unpredictable ones.
  return ((edges[0] <= zero) & (edges[1] <= zero) & (edges[2] <= zero)) |
         ((edges[0] >= zero) & (edges[1] >= zero) & (edges[2] >= zero));
}

// The point seen at a pixel centre with these edge functions. The barycentric
// coordinates are proportional to the edge functions. If all of these are 0 the result
// is NaN.
template <typename Real>
UNSUP3D_HOST_DEVICE inline SurfacePoint<Real> PointSeen(const Vertex<Real> corners[3],
                                                        const Real edges[3]) {
  SurfacePoint<Real> point;
  point.total = edges[0] + edges[1] + edges[2];
  const Real scale = Real(1) / point.total;
  point.depth = 0;
  for (int k = 0; k < 3; ++k) {
    point.barycentric[k] = edges[k] * scale;
    point.depth += point.barycentric[k] * corners[k].z;
  }
  return point;
}

// Returns whether a triangle covers the pixel centre (px, py), and finds the point seen
// there.
template <typename Real>
UNSUP3D_HOST_DEVICE inline bool CoverPixel(const Vertex<Real> corners[3], Real px,
                                           Real py, SurfacePoint<Real>* point) {
  Real edges[3];
  EdgeFunctions(corners, px, py, edges);
  if (!IsWithin(edges)) return false;
  *point = PointSeen(corners, edges);
  // This is also false if the depth is NaN.
  return point->depth > Real(kNearDepth);
}

// Adds the derivative of a function of a surface point with respect to the corners to
// `corner_gradients`, given its derivatives with respect to the barycentric coordinates
// and the depth.
template <typename Real>
UNSUP3D_HOST_DEVICE inline void SurfacePointGradient(const Vertex<Real> corners[3],
                                                     const Real& px, const Real& py,
                                                     const SurfacePoint<Real>& point,
                                                     const Real barycentric_gradient[3],
                                                     const Real& depth_gradient,
                                                     Vertex<Real> corner_gradients[3]) {
  Vertex<Real> seen[3];
  Vertex<Real> seen_gradients[3];
  Real mean = 0;
  for (int k = 0; k < 3; ++k) {
    seen[k] = SeenFrom(px, py, corners[k]);
    seen_gradients[k] = {0, 0, depth_gradient * point.barycentric[k]};
    mean += point.barycentric[k] *
            (barycentric_gradient[k] + depth_gradient * corners[k].z);
  }
  for (int k = 0; k < 3; ++k) {
    const int i = (k + 1) % 3;
    const int j = (k + 2) % 3;
    // The derivative with respect to the edge function.
    const Real g =
        (barycentric_gradient[k] + depth_gradient * corners[k].z - mean) / point.total;
    seen_gradients[i].x += g * seen[j].y;
    seen_gradients[i].y -= g * seen[j].x;
    seen_gradients[j].x -= g * seen[i].y;
    seen_gradients[j].y += g * seen[i].x;
  }
  for (int k = 0; k < 3; ++k) {
    AddScaled(&corner_gradients[k], Real(1),
              SeenFromGradient(px, py, seen_gradients[k]));
  }
}

// The part of an edge beyond the near depth, or a derivative with respect to it.
template <typename Real>
struct EdgePart {
  Vertex<Real> ends[2];
  // Positions of these ends on the edge: 0 at its first end, 1 at its second.
  Real parameters[2];
};

// Finds the part of an edge beyond the near depth. Returns whether there is one.
template <typename Real>
UNSUP3D_HOST_DEVICE inline bool ClipEdge(const Vertex<Real>& a, const Vertex<Real>& b,
                                         EdgePart<Real>* part) {
  *part = {{a, b}, {0, 1}};
  if (IsVisible(a) == IsVisible(b)) return IsVisible(a);
  const int cut = IsVisible(a) ? 1 : 0;
  const Real t = (Real(kNearDepth) - a.z) / (b.z - a.z);
  part->parameters[cut] = t;
  part->ends[cut] = a;
  AddScaled(&part->ends[cut], t, b - a);
  part->ends[cut].z = Real(kNearDepth);
  return true;
}

// Adds to the gradients of both ends of an edge, given the gradient of its visible
// part.
template <typename Real>
UNSUP3D_HOST_DEVICE inline void ClipEdgeGradient(const Vertex<Real>& a,
                                                 const Vertex<Real>& b,
                                                 const EdgePart<Real>& part,
                                                 const EdgePart<Real>& gradient,
                                                 Vertex<Real>* a_gradient,
                                                 Vertex<Real>* b_gradient) {
  for (int end = 0; end < 2; ++end) {
    const Vertex<Real>& g = gradient.ends[end];
    const Real t = part.parameters[end];
    AddScaled(a_gradient, 1 - t, g);
    AddScaled(b_gradient, t, g);
    if (IsVisible(end == 0 ? a : b)) continue;
    // The cut slides along the edge as the edge moves.
    const Vertex<Real> direction = b - a;
    const Real slide = (gradient.parameters[end] + Dot(g, direction)) / direction.z;
    a_gradient->z -= (1 - t) * slide;
    b_gradient->z -= t * slide;
  }
}

// The point on the visible part of an edge that is nearest to a pixel centre in the
// picture.
template <typename Real>
struct EdgePoint {
  Real fraction;   // position in space: 0 at the first end of the part, 1 at the second
  Real parameter;  // the same for the whole edge
  Real depth;
  Real distance;  // to the pixel centre, in pixels
  Real x, y;      // position relative to the pixel centre, times the depth
  bool inside;    // whether it is strictly between the two ends of the part
};

template <typename Real>
UNSUP3D_HOST_DEVICE inline EdgePoint<Real> NearestOnEdge(const EdgePart<Real>& part,
                                                         Real px, Real py) {
  const Vertex<Real> a = SeenFrom(px, py, part.ends[0]);
  const Vertex<Real> b = SeenFrom(px, py, part.ends[1]);
  // The direction of the edge in the picture, times both depths. At the nearest point
  // the offset from the pixel has no component along this direction.
  const Real dx = a.z * b.x - b.z * a.x;
  const Real dy = a.z * b.y - b.z * a.y;
  const Real past_a = -(a.x * dx + a.y * dy);
  const Real before_b = b.x * dx + b.y * dy;
  EdgePoint<Real> point;
  point.inside = past_a > 0 && before_b > 0;
  // At an end the point is bitwise that end, as it is for the adjacent edge.
  const Real t =
      point.inside ? past_a / (past_a + before_b) : (past_a > 0 ? Real(1) : Real(0));
  point.fraction = t;
  point.parameter = (1 - t) * part.parameters[0] + t * part.parameters[1];
  point.depth = (1 - t) * a.z + t * b.z;
  point.x = (1 - t) * a.x + t * b.x;
  point.y = (1 - t) * a.y + t * b.y;
  point.distance = std::sqrt(point.x * point.x + point.y * point.y) / point.depth;
  return point;
}

// Adds the derivative of a function of an edge point to the gradient of the edge's
// part, given its derivatives with respect to the distance, the parameter and the
// depth.
template <typename Real>
UNSUP3D_HOST_DEVICE inline void EdgePointGradient(const EdgePart<Real>& part, Real px,
                                                  Real py, const EdgePoint<Real>& point,
                                                  Real distance_gradient,
                                                  Real parameter_gradient,
                                                  Real depth_gradient,
                                                  EdgePart<Real>* gradient) {
  const Real t = point.fraction;
  const Real weights[2] = {1 - t, t};
  // The derivative with respect to the point. Either the pixel lies perpendicular to
  // the edge there, or the point does not slide: the distance changes as if the point
  // were fixed to the edge.
  Vertex<Real> g = {0, 0, depth_gradient};
  if (point.distance > 0) {
    const Real scale = distance_gradient / (point.distance * point.depth * point.depth);
    g.x = scale * point.x;
    g.y = scale * point.y;
    g.z -= distance_gradient * point.distance / point.depth;
  }
  Vertex<Real> seen_gradients[2] = {{0, 0, 0}, {0, 0, 0}};
  for (int end = 0; end < 2; ++end) {
    AddScaled(&seen_gradients[end], weights[end], g);
    gradient->parameters[end] += weights[end] * parameter_gradient;
  }
  if (point.inside) {
    const Vertex<Real> a = SeenFrom(px, py, part.ends[0]);
    const Vertex<Real> b = SeenFrom(px, py, part.ends[1]);
    const Real dx = a.z * b.x - b.z * a.x;
    const Real dy = a.z * b.y - b.z * a.y;
    // The point slides so that x dx + y dy stays 0.
    const Real slide = (parameter_gradient * (part.parameters[1] - part.parameters[0]) +
                        depth_gradient * (b.z - a.z)) /
                       ((b.x - a.x) * dx + (b.y - a.y) * dy);
    seen_gradients[0].x -= slide * (weights[0] * dx - b.z * point.x);
    seen_gradients[0].y -= slide * (weights[0] * dy - b.z * point.y);
    seen_gradients[0].z -= slide * (point.x * b.x + point.y * b.y);
    seen_gradients[1].x -= slide * (weights[1] * dx + a.z * point.x);
    seen_gradients[1].y -= slide * (weights[1] * dy + a.z * point.y);
    seen_gradients[1].z += slide * (point.x * a.x + point.y * a.y);
  }
  for (int end = 0; end < 2; ++end) {
    AddScaled(&gradient->ends[end], Real(1),
              SeenFromGradient(px, py, seen_gradients[end]));
  }
}

// A rectangle in the picture, in pixels.
template <typename Real>
struct Bounds {
  Real left, top, right, bottom;

  UNSUP3D_HOST_DEVICE inline void Extend(const Vertex<Real>& vertex) {
    const Real scale = Real(1) / vertex.z;
    const Real x = vertex.x * scale;
    const Real y = vertex.y * scale;
    left = Select(x < left, x, left);
    top = Select(y < top, y, top);
    right = Select(x > right, x, right);
    bottom = Select(y > bottom, y, bottom);
  }
};

// The bounds of no points at all.
template <typename Real>
UNSUP3D_HOST_DEVICE inline Bounds<Real> NoBounds() {
  return {Real(HUGE_VAL), Real(HUGE_VAL), Real(-HUGE_VAL), Real(-HUGE_VAL)};
}

template <typename Real>
UNSUP3D_HOST_DEVICE inline Bounds<Real> EdgeBounds(const EdgePart<Real>& part) {
  Bounds<Real> bounds = NoBounds<Real>();
  for (int end = 0; end < 2; ++end) bounds.Extend(part.ends[end]);
  return bounds;
}

// The bounds of the part of a triangle beyond the near depth.
template <typename Real>
UNSUP3D_HOST_DEVICE inline Bounds<Real> TriangleBounds(const Vertex<Real> corners[3]) {
  Bounds<Real> bounds = NoBounds<Real>();
  for (int k = 0; k < 3; ++k) {
    if (IsVisible(corners[k])) bounds.Extend(corners[k]);
  }
  for (int k = 0; k < 3; ++k) {
    const Vertex<Real>& next = corners[(k + 1) % 3];
    EdgePart<Real> part;
    if (IsVisible(corners[k]) == IsVisible(next)) continue;
    ClipEdge(corners[k], next, &part);
    for (int end = 0; end < 2; ++end) bounds.Extend(part.ends[end]);
  }
  return bounds;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CORE_GEOMETRY_H_
