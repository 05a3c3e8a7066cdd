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

#include "fragments.h"
#include "geometry.h"
#include "shading.h"
#include "texture.h"

namespace unsup3d {
namespace {

int failures = 0;

#define EXPECT(condition)                                             \
  do {                                                                \
    if (!(condition)) {                                               \
      std::printf("line %d: %s\n", __LINE__, #condition);             \
      ++failures;                                                     \
    }                                                                 \
  } while (false)

bool Near(double a, double b, double tolerance) {
  return std::abs(a - b) <= tolerance * (1 + std::abs(a) + std::abs(b));
}

class Random {
 public:
  double operator()(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(engine_);
  }
  Vertex<double> MakeVertex() {
    return {(*this)(0, 10), (*this)(0, 10), (*this)(1, 4)};
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

void TestProjection() {
  const double homogeneous[3] = {6, 8, 2};
  const auto vertex = Project<double>(homogeneous);
  EXPECT(vertex.x == 3 && vertex.y == 4 && vertex.z == 2);
  // f = 5 x + 7 y + 11 z.
  const auto gradient = UnprojectGradient(vertex, Vertex<double>{5, 7, 11});
  EXPECT(Near(gradient.x, 2.5, 1e-12) && Near(gradient.y, 3.5, 1e-12));
  EXPECT(Near(gradient.z, 11 - (5 * 3 + 7 * 4) / 2.0, 1e-12));
}

void TestIsDrawn() {
  const Vertex<double> a = {0, 0, 1}, b = {0, 1, 1}, c = {1, 0, 1};
  EXPECT(IsDrawn(a, b, c));
  EXPECT(!IsDrawn(a, c, b));
  EXPECT(!IsDrawn(a, b, b));
  EXPECT(!IsDrawn(a, b, {1, 0, 0}));
  EXPECT(!IsDrawn(a, b, {1, 0, -1}));
  const double huge = 1e300, nan = std::nan("");
  EXPECT(!IsDrawn<double>({-huge, -huge, 1}, {-huge, huge, 1}, {huge, 0, 1}));
  EXPECT(!IsDrawn(a, b, {nan, 0, 1}));
}

// A fan of triangles around a point in the middle of a square: pixels on the inner
// edges, too, belong to at least one of them.
void TestNoCracks(Random& random) {
  for (int round = 0; round < 2000; ++round) {
    const Vertex<double> ring[4] = {
        {0, 0, random(1, 3)}, {0, 8, random(1, 3)},
        {8, 8, random(1, 3)}, {8, 0, random(1, 3)}};
    Vertex<double> middle = random.MakeVertex();
    middle.x = 1 + 0.6 * middle.x;
    middle.y = 1 + 0.6 * middle.y;
    // A point on an inner edge, as near as doubles go.
    const int side = round % 4;
    const double along = random(0, 1);
    const double px = middle.x + along * (ring[side].x - middle.x);
    const double py = middle.y + along * (ring[side].y - middle.y);
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
  int covered = 0;
  while (covered < 100) {
    const std::vector<Vertex<double>> corners = {
        random.MakeVertex(), random.MakeVertex(), random.MakeVertex()};
    const double px = random(0, 10), py = random(0, 10);
    SurfacePoint<double> point;
    if (!IsDrawn(corners[0], corners[1], corners[2]) ||
        DoubledArea(corners[0], corners[1], corners[2]) > -1 ||
        !CoverPixel(corners.data(), px, py, &point)) {
      continue;
    }
    ++covered;
    // The point in space is the weighted mean of the corners in space.
    double sum = 0, x = 0, y = 0, z = 0;
    for (int k = 0; k < 3; ++k) {
      const double weight = point.barycentric[k];
      EXPECT(weight >= 0);
      sum += weight;
      x += weight * corners[k].x * corners[k].z;
      y += weight * corners[k].y * corners[k].z;
      z += weight * corners[k].z;
    }
    EXPECT(Near(sum, 1, 1e-12) && Near(z, point.depth, 1e-12));
    EXPECT(Near(x / z, px, 1e-12) && Near(y / z, py, 1e-12));

    const double weights[4] = {random(-1, 1), random(-1, 1), random(-1, 1),
                               random(-1, 1)};
    std::vector<Vertex<double>> gradients(3, {0, 0, 0});
    SurfacePointGradient(corners.data(), px, py, point, weights, weights[3],
                         gradients.data());
    CheckGradients(corners, gradients, [&](const Vertex<double>* moved) {
      SurfacePoint<double> moved_point;
      // A pixel may slip over the edge; areas of any sign serve as well then.
      if (!CoverPixel(moved, px, py, &moved_point)) moved_point = point;
      return weights[0] * moved_point.barycentric[0] +
             weights[1] * moved_point.barycentric[1] +
             weights[2] * moved_point.barycentric[2] +
             weights[3] * moved_point.depth;
    });
  }
}

void TestEdgePoint(Random& random) {
  int inside = 0;
  for (int round = 0; round < 300; ++round) {
    const std::vector<Vertex<double>> ends = {random.MakeVertex(),
                                              random.MakeVertex()};
    if (std::hypot(ends[0].x - ends[1].x, ends[0].y - ends[1].y) < 1) continue;
    const double px = random(0, 10), py = random(0, 10);
    const auto point = NearestOnEdge(ends[0], ends[1], px, py);
    inside += point.inside;
    // No other point of the edge is nearer.
    for (double s = 0; s <= 1; s += 1.0 / 64) {
      const double x = ends[0].x + s * (ends[1].x - ends[0].x);
      const double y = ends[0].y + s * (ends[1].y - ends[0].y);
      EXPECT(std::hypot(px - x, py - y) >= point.distance - 1e-12);
    }
    const double t = point.parameter;
    EXPECT(Near((1 - t) * ends[0].z + t * ends[1].z, point.depth, 1e-12));

    const double weights[3] = {random(-1, 1), random(-1, 1), random(-1, 1)};
    std::vector<Vertex<double>> gradients(2, {0, 0, 0});
    EdgePointGradient(ends[0], ends[1], point, weights[0], weights[1], weights[2],
                      &gradients[0], &gradients[1]);
    CheckGradients(ends, gradients, [&](const Vertex<double>* moved) {
      const auto p = NearestOnEdge(moved[0], moved[1], px, py);
      return weights[0] * p.distance + weights[1] * p.parameter +
             weights[2] * p.depth;
    });
  }
  EXPECT(inside > 50 && inside < 250);
  // An edge that is a point, and a pixel on it.
  const Vertex<double> a = {1, 2, 3};
  const auto point = NearestOnEdge(a, a, 1.0, 2.0);
  EXPECT(point.distance == 0 && Near(point.depth, 3, 1e-12));
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
      fragments.push_back({0, i, random(0, 1), random(1, 1.4)});
    }
    // The ends of two edges that meet are the same point; a pixel may lie on it.
    if (count > 3) fragments[3] = {0, 3, fragments[1].extent, fragments[1].depth};
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
    const Fragment<double> fragment = {0, 0, 0.3, 2.0};
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
      fragments.push_back({0, i, random(0.05, 1), random(1, 1.4)});
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
  unsup3d::TestProjection();
  unsup3d::TestIsDrawn();
  unsup3d::TestNoCracks(random);
  unsup3d::TestSurfacePoint(random);
  unsup3d::TestEdgePoint(random);
  unsup3d::TestTexture(random);
  unsup3d::TestLayers(random);
  unsup3d::TestSingleFragmentOpacity();
  unsup3d::TestLayerGradients(random);
  std::printf("%d failures\n", unsup3d::failures);
  return unsup3d::failures == 0 ? 0 : 1;
}
