// Tests the headers without TensorFlow: derivatives against central differences, the
// rules of coverage, texture weights, and the layers of a pixel against a fine
// sampling of their definition. Prints what fails; the exit status tells.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "expect.h"
#include "fragments.h"
#include "geometry.h"
#include "shading.h"
#include "texture.h"

namespace unsup3d {
namespace {

bool Near(double a, double b, double tolerance) {
  return std::abs(a - b) <= tolerance * (1 + std::abs(a) + std::abs(b));
}

class Random {
 public:
  double operator()(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(engine_);
  }
  Vertex<double> MakeVertex() {
    const double z = (*this)(1, 4);
    return {(*this)(0, 10) * z, (*this)(0, 10) * z, z};
  }
  // In front of the camera or behind it.
  Vertex<double> MakeVertexAnywhere() {
    return {(*this)(-5, 15), (*this)(-5, 15), (*this)(-2, 3)};
  }

 private:
  std::mt19937_64 engine_{7};
};

// Compares the gradients of vertices with central differences of `value`.
void CheckGradients(std::vector<Vertex<double>> vertices,
                    const std::vector<Vertex<double>>& gradients,
                    const std::function<double(const Vertex<double>*)>& value) {
  const double step = 1e-6;
  for (size_t i = 0; i < vertices.size(); ++i) {
    for (double Vertex<double>::*member :
         {&Vertex<double>::x, &Vertex<double>::y, &Vertex<double>::z}) {
      double& coordinate = vertices[i].*member;
      const double center = coordinate;
      coordinate = center + step;
      const double above = value(vertices.data());
      coordinate = center - step;
      const double below = value(vertices.data());
      coordinate = center;
      EXPECT(Near((above - below) / (2 * step), gradients[i].*member, 1e-5));
    }
  }
}

Vertex<double> At(double x, double y, double z) { return {x * z, y * z, z}; }

void TestFacing() {
  const auto a = At(0, 0, 1), b = At(0, 1, 2), c = At(1, 0, 3);
  EXPECT(FindFacing(a, b, c) == Facing::kFront);
  EXPECT(FindFacing(b, c, a) == Facing::kFront);
  EXPECT(FindFacing(a, c, b) == Facing::kBack);
  EXPECT(FindFacing(a, b, b) == Facing::kNone);
  EXPECT(FindFacing(a, b, At(1e-11, 0.5, 1)) == Facing::kNone);
  // A corner moves through the plane of the camera: the other side never shows.
  for (const double z : {1.0, 1e-3, 0.0, -1e-3, -1.0}) {
    EXPECT(FindFacing(a, b, {1, 0, z}) == Facing::kFront);
  }
  EXPECT(FindFacing(a, b, {std::nan(""), 0, 1}) == Facing::kNone);
}

void TestFold() {
  // The outer corner is nearer than the edge or further away, the other way round
  // from behind.
  const auto a = At(0, 0, 2), b = At(0, 4, 2), near = At(4, 2, 1), far = At(3, 2, 3);
  for (const bool front_is_near : {true, false}) {
    const Vertex<double> front[3] = {a, b, front_is_near ? near : far};
    const Vertex<double> back[3] = {front_is_near ? far : near, b, a};
    EXPECT(FindFacing(front[0], front[1], front[2]) == Facing::kFront);
    EXPECT(FindFacing(back[0], back[1], back[2]) == Facing::kBack);
    EXPECT(FrontHidesBack(front, back) == front_is_near);
  }
}

// A fan of triangles around a point in the middle of a square: pixels on the inner
// edges, too, belong to at least one of them.
void TestNoCracks(Random& random) {
  for (int round = 0; round < 2000; ++round) {
    const Vertex<double> ring[4] = {
        At(0, 0, random(1, 3)), At(0, 8, random(1, 3)), At(8, 8, random(1, 3)),
        At(8, 0, random(1, 3))};
    const double x = random(1, 7), y = random(1, 7);
    const Vertex<double> middle = At(x, y, random(1, 4));
    // A point on an inner edge, as near as doubles go.
    const Vertex<double>& end = ring[round % 4];
    const double along = random(0, 1);
    const double px = x + along * (end.x / end.z - x);
    const double py = y + along * (end.y / end.z - y);
    int covering = 0;
    for (int k = 0; k < 4; ++k) {
      const Vertex<double> corners[3] = {middle, ring[k], ring[(k + 1) % 4]};
      SurfacePoint<double> point;
      covering += CoverPixel(corners, px, py, &point);
    }
    EXPECT(covering >= 1);
  }
}

void TestSurfacePoint(Random& random) {
  int covered = 0, crossing = 0;
  while (covered < 200) {
    const std::vector<Vertex<double>> corners = {random.MakeVertexAnywhere(),
                                                 random.MakeVertexAnywhere(),
                                                 random.MakeVertexAnywhere()};
    const double px = random(0, 10), py = random(0, 10);
    SurfacePoint<double> point;
    if (!CoverPixel(corners.data(), px, py, &point) || std::abs(point.total) < 5 ||
        point.depth < 0.1) {
      continue;
    }
    ++covered;
    for (const auto& corner : corners) crossing += corner.z < 0;
    EXPECT((FindFacing(corners[0], corners[1], corners[2]) == Facing::kFront) ==
           (point.total < 0));
    // The point in space is the weighted mean of the corners, and on the ray.
    double sum = 0;
    Vertex<double> mean = {0, 0, 0};
    for (int k = 0; k < 3; ++k) {
      EXPECT(point.barycentric[k] >= 0);
      sum += point.barycentric[k];
      AddScaled(&mean, point.barycentric[k], corners[k]);
    }
    EXPECT(Near(sum, 1, 1e-12) && Near(mean.z, point.depth, 1e-12));
    EXPECT(Near(mean.x, px * mean.z, 1e-10) && Near(mean.y, py * mean.z, 1e-10));

    const double weights[4] = {random(-1, 1), random(-1, 1), random(-1, 1),
                               random(-1, 1)};
    std::vector<Vertex<double>> gradients(3, {0, 0, 0});
    SurfacePointGradient(corners.data(), px, py, point, weights, weights[3],
                         gradients.data());
    CheckGradients(corners, gradients, [&](const Vertex<double>* moved) {
      SurfacePoint<double> moved_point;
      // A pixel may slip over the edge: it is as well the old point then.
      if (!CoverPixel(moved, px, py, &moved_point)) moved_point = point;
      return weights[0] * moved_point.barycentric[0] +
             weights[1] * moved_point.barycentric[1] +
             weights[2] * moved_point.barycentric[2] +
             weights[3] * moved_point.depth;
    });
  }
  EXPECT(crossing > 20);
}

void TestClipEdge() {
  const Vertex<double> front = {4, 6, 2}, back = {8, -6, -2};
  EdgePart<double> part;
  EXPECT(ClipEdge(front, front, &part));
  EXPECT(part.parameters[0] == 0 && part.parameters[1] == 1);
  EXPECT(!ClipEdge(back, back, &part));
  for (const bool reversed : {false, true}) {
    EXPECT(reversed ? ClipEdge(back, front, &part) : ClipEdge(front, back, &part));
    EXPECT(part.ends[reversed].z == 2 && part.parameters[reversed] == reversed);
    const Vertex<double>& cut = part.ends[!reversed];
    EXPECT(cut.z == kNearDepth && Near(part.parameters[!reversed], 0.5, 1e-6));
    EXPECT(Near(cut.x, 6, 1e-5) && Near(cut.y, 0, 1e-5));
  }
  // As an end passes the near depth, nothing jumps.
  const Vertex<double> before = {1, 2, kNearDepth * (1 + 1e-9)};
  const Vertex<double> after = {1, 2, kNearDepth * (1 - 1e-9)};
  EdgePart<double> other;
  EXPECT(ClipEdge(front, before, &part) && ClipEdge(front, after, &other));
  EXPECT(Near(part.ends[1].x, other.ends[1].x, 1e-12));
  EXPECT(Near(part.parameters[1], other.parameters[1], 1e-12));
}

void TestEdgePoint(Random& random) {
  int inside = 0, crossing = 0;
  for (int round = 0; round < 600; ++round) {
    const bool anywhere = round % 2;
    const std::vector<Vertex<double>> ends = {
        anywhere ? random.MakeVertexAnywhere() : random.MakeVertex(),
        anywhere ? random.MakeVertexAnywhere() : random.MakeVertex()};
    EdgePart<double> part;
    if (!ClipEdge(ends[0], ends[1], &part)) continue;
    const double px = random(0, 10), py = random(0, 10);
    const auto point = NearestOnEdge(part, px, py);
    if (point.distance < 0.1 || point.distance > 100 || point.depth < 0.1) continue;
    inside += point.inside;
    crossing += part.parameters[0] > 0 || part.parameters[1] < 1;
    // It lies on the edge, and no other visible point is nearer.
    for (double t = 0; t <= 1; t += 1.0 / 64) {
      Vertex<double> other = ends[0];
      AddScaled(&other, t, ends[1] - ends[0]);
      if (!IsVisible(other)) continue;
      EXPECT(std::hypot(px - other.x / other.z, py - other.y / other.z) >=
             point.distance - 1e-9);
    }
    Vertex<double> nearest = ends[0];
    AddScaled(&nearest, point.parameter, ends[1] - ends[0]);
    EXPECT(Near(nearest.z, point.depth, 1e-12));
    EXPECT(Near(std::hypot(nearest.x / nearest.z - px, nearest.y / nearest.z - py),
                point.distance, 1e-9));

    const double weights[3] = {random(-1, 1), random(-1, 1), random(-1, 1)};
    EdgePart<double> part_gradient = {{{0, 0, 0}, {0, 0, 0}}, {0, 0}};
    EdgePointGradient(part, px, py, point, weights[0], weights[1], weights[2],
                      &part_gradient);
    std::vector<Vertex<double>> gradients(2, {0, 0, 0});
    ClipEdgeGradient(ends[0], ends[1], part, part_gradient, &gradients[0],
                     &gradients[1]);
    CheckGradients(ends, gradients, [&](const Vertex<double>* moved) {
      EdgePart<double> moved_part;
      EXPECT(ClipEdge(moved[0], moved[1], &moved_part));
      const auto p = NearestOnEdge(moved_part, px, py);
      return weights[0] * p.distance + weights[1] * p.parameter +
             weights[2] * p.depth;
    });
  }
  EXPECT(inside > 100 && inside < 400 && crossing > 50);
  // An edge that is a point, and a pixel on it.
  const auto a = At(1, 2, 3);
  const EdgePart<double> part = {{a, a}, {0, 1}};
  const auto point = NearestOnEdge(part, 1.0, 2.0);
  EXPECT(point.distance == 0 && Near(point.depth, 3, 1e-12));
}

// The derivative of the cut itself: the nearest point is the end of the visible part.
void TestCutGradient(Random& random) {
  for (int round = 0; round < 100; ++round) {
    std::vector<Vertex<double>> ends = {random.MakeVertex(), random.MakeVertex()};
    ends[round % 2].z *= -1;
    std::vector<double> weights;
    for (int i = 0; i < 8; ++i) weights.push_back(random(-1, 1));
    const auto value = [&](const Vertex<double>* moved) {
      EdgePart<double> part;
      ClipEdge(moved[0], moved[1], &part);
      double sum = 0;
      for (int i = 0; i < 2; ++i) {
        sum += weights[4 * i] * part.ends[i].x + weights[4 * i + 1] * part.ends[i].y +
               weights[4 * i + 2] * part.ends[i].z +
               weights[4 * i + 3] * part.parameters[i];
      }
      return sum;
    };
    EdgePart<double> part;
    ClipEdge(ends[0], ends[1], &part);
    const EdgePart<double> part_gradient = {
        {{weights[0], weights[1], weights[2]}, {weights[4], weights[5], weights[6]}},
        {weights[3], weights[7]}};
    std::vector<Vertex<double>> gradients(2, {0, 0, 0});
    ClipEdgeGradient(ends[0], ends[1], part, part_gradient, &gradients[0],
                     &gradients[1]);
    CheckGradients(ends, gradients, value);
  }
}

void TestTriangleBounds(Random& random) {
  for (int round = 0; round < 300; ++round) {
    const Vertex<double> corners[3] = {random.MakeVertexAnywhere(),
                                       random.MakeVertexAnywhere(),
                                       random.MakeVertexAnywhere()};
    const auto bounds = TriangleBounds(corners);
    for (int i = 0; i < 100; ++i) {
      const double px = random(-100, 100), py = random(-100, 100);
      SurfacePoint<double> point;
      if (!CoverPixel(corners, px, py, &point)) continue;
      EXPECT(bounds.left <= px && px <= bounds.right);
      EXPECT(bounds.top <= py && py <= bounds.bottom);
    }
  }
  const Vertex<double> behind[3] = {{1, 2, -1}, {3, 2, -1}, {1, 5, 0}};
  EXPECT(!(TriangleBounds(behind).left <= TriangleBounds(behind).right));
}

void TestTexture(Random& random) {
  for (int round = 0; round < 300; ++round) {
    const int height = 1 + round % 4, width = 1 + round % 7;
    const double u = random(-0.2, 1.2), v = random(-0.2, 1.2), step = 1e-7;
    const auto sample = SampleTexture(u, v, height, width);
    const auto right = SampleTexture(u + step, v, height, width);
    const auto below = SampleTexture(u, v + step, height, width);
    double sum = 0;
    for (int k = 0; k < 4; ++k) {
      EXPECT(sample.texels[k] >= 0 && sample.texels[k] < height * width);
      EXPECT(sample.weights[k] >= 0);
      sum += sample.weights[k];
      EXPECT(Near((right.weights[k] - sample.weights[k]) / step, sample.u_slopes[k],
                  1e-6));
      EXPECT(Near((below.weights[k] - sample.weights[k]) / step, sample.v_slopes[k],
                  1e-6));
    }
    EXPECT(Near(sum, 1, 1e-12));
  }
  for (const double wild : {std::nan(""), HUGE_VAL, -HUGE_VAL, 1e300}) {
    const auto sample = SampleTexture(wild, wild, 3, 5);
    for (int k = 0; k < 4; ++k) {
      EXPECT(sample.texels[k] >= 0 && sample.texels[k] < 15);
      EXPECT(std::isfinite(sample.weights[k]));
    }
  }
}

// The share of each fragment, the last one's that of the sharp surface.
std::vector<double> Shares(const Pixel<double>& pixel) {
  std::vector<double> shares(pixel.count + 1, 0.0);
  int layers = 0;
  Layer<double> layer = pixel.FirstLayer();
  while (true) {
    EXPECT(layer.lower <= layer.upper);
    EXPECT(++layers < 1000);
    const int index = layer.fragment == kSharp ? pixel.count : layer.fragment;
    shares[index] += layer.upper - layer.lower;
    if (layer.fragment == kSharp || layers >= 1000) break;
    layer = pixel.NextLayer(layer);
  }
  return shares;
}

void TestLayers(Random& random) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (int round = 0; round < 400; ++round) {
    const int count = round % 7;
    const double push = round % 5 == 0 ? 0.0 : random(0.01, 0.5);
    std::vector<Fragment<double>> fragments;
    for (int i = 0; i < count; ++i) {
      fragments.push_back({0, i, random(0, 1), random(1, 1.4), 0});
    }
    // The ends of two edges that meet are the same point; a pixel may lie on it.
    if (count > 3) fragments[3] = {0, 3, fragments[1].extent, fragments[1].depth, 0};
    if (count > 4 && round % 3 == 0) fragments[4].extent = 0;
    const double sharp = round % 2 ? random(1, 1.5) : infinity;
    const Pixel<double> pixel = {fragments.data(), count, sharp, push};
    const auto shares = Shares(pixel);

    // The definition, at many v.
    const int samples = 4000;
    std::vector<double> expected(count + 1, 0.0);
    for (int s = 0; s < samples; ++s) {
      const double v = (s + 0.5) / samples;
      int nearest = count;
      double depth = sharp;
      for (int i = 0; i < count; ++i) {
        const double pushed = fragments[i].depth * (1 + push * fragments[i].extent / v);
        if (fragments[i].extent < v && pushed < depth) {
          nearest = i;
          depth = pushed;
        }
      }
      expected[nearest] += 1.0 / samples;
    }
    for (int i = 0; i <= count; ++i) {
      EXPECT(std::abs(shares[i] - expected[i]) < 4.0 / samples);
    }
  }
}

void TestSingleFragmentOpacity() {
  // 1 - e max(1, push z / (z_s - z)).
  for (const double gap : {0.001, 0.01, 0.02, 0.05, 1.0}) {
    const Fragment<double> fragment = {0, 0, 0.3, 2.0, 0};
    const Pixel<double> pixel = {&fragment, 1, 2.0 + gap, 0.02};
    const double opacity =
        std::max(0.0, 1 - 0.3 * std::max(1.0, 0.02 * 2.0 / gap));
    EXPECT(Near(Shares(pixel)[0], opacity, 1e-12));
  }
}

void TestLayerGradients(Random& random) {
  for (int round = 0; round < 300; ++round) {
    const int count = 1 + round % 5;
    const double push = random(0.05, 0.5);
    std::vector<Fragment<double>> fragments;
    std::vector<double> values;
    for (int i = 0; i < count; ++i) {
      fragments.push_back({0, i, random(0.05, 1), random(1, 1.4), 0});
    }
    for (int i = 0; i <= count; ++i) values.push_back(random(-1, 1));
    double sharp = random(1, 1.6);
    const auto value = [&] {
      const auto shares = Shares({fragments.data(), count, sharp, push});
      double sum = 0;
      for (int i = 0; i <= count; ++i) sum += shares[i] * values[i];
      return sum;
    };

    const Pixel<double> pixel = {fragments.data(), count, sharp, push};
    std::vector<double> extents(count, 0.0), depths(count + 1, 0.0);
    for (auto layer = pixel.FirstLayer(); layer.fragment != kSharp;
         layer = pixel.NextLayer(layer)) {
      const double next = values[layer.next == kSharp ? count : layer.next];
      pixel.LowerEndGradient(
          layer, next - values[layer.fragment],
          [&](int i, double g) { extents[i] += g; },
          [&](int i, double g) { depths[i == kSharp ? count : i] += g; });
    }
    const auto check = [&](double& variable, double gradient) {
      const double step = 1e-7, center = variable;
      variable = center + step;
      const double above = value();
      variable = center - step;
      const double below = value();
      variable = center;
      EXPECT(Near((above - below) / (2 * step), gradient, 1e-4));
    };
    for (int i = 0; i < count; ++i) {
      check(fragments[i].extent, extents[i]);
      check(fragments[i].depth, depths[i]);
    }
    check(sharp, depths[count]);
  }
}

}  // namespace
}  // namespace unsup3d

int main() {
  unsup3d::Random random;
  unsup3d::TestFacing();
  unsup3d::TestFold();
  unsup3d::TestNoCracks(random);
  unsup3d::TestSurfacePoint(random);
  unsup3d::TestClipEdge();
  unsup3d::TestEdgePoint(random);
  unsup3d::TestCutGradient(random);
  unsup3d::TestTriangleBounds(random);
  unsup3d::TestTexture(random);
  unsup3d::TestLayers(random);
  unsup3d::TestSingleFragmentOpacity();
  unsup3d::TestLayerGradients(random);
  std::printf("%d failures\n", unsup3d::failures);
  return unsup3d::failures == 0 ? 0 : 1;
}
